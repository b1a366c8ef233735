"""From stories to what can be replayed: decisions that chance had a part in and whose answers were judged."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.learning.tables.splits import prompt_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgewise.domain.decisions import Decision
    from edgewise.domain.stories import Story

SHADOW = "only a shadow answered, and no client saw it"
PINNED = "the caller named the candidate"
FORCED = "at most one candidate was left"
OWN_OBJECTIVE = "the caller asked for another objective"
UNFINISHED = "no outcome was recorded"
CANCELLED = "the caller hung up"
NO_TEXT = "neither the prompt's text nor its features were kept"
NO_ODDS = "the odds were not recorded"
CERTAIN = "nothing was left to chance (a session, a private prompt, or no exploration)"
UNRATED = "nobody rated the answer"
SEEN = "the policy was trained on the prompt"


class Asked(Struct, frozen=True):
    """What the log knows of what was asked: the last message's text, or the features of the conversation.

    `vector` are packed features of the version `vector_version`. `key` is the same for the same prompt.
    """

    key: str
    text: str | None = None
    vector: bytes | None = None
    vector_version: str = ""


class Row(Struct, frozen=True):
    """One logged decision. `odds` holds the whole shortlist; `failed` says that no whole answer came.

    `mission` and `time` are the criticalities that were recorded of it, 0 to 10.
    """

    asked: Asked
    odds: dict[str, float]
    chosen: str
    propensity: float
    quality: float
    latency_s: float | None
    cost_usd: float | None
    failed: bool = False
    mission: float | None = None
    time: float | None = None


class Choice(Struct, frozen=True):
    """What any free decision shows, rated or not: the prompt, and the logged odds of its shortlist."""

    asked: Asked
    odds: dict[str, float]


class Gathered(Struct, frozen=True):
    """What the log offers.

    `rows` can be replayed; `certain` were decided without chance, which only shows whom the log's policy
    favours; `rated` is the share of finished answers that somebody rated; `left_out` counts the rest by
    reason.
    """

    rows: tuple[Row, ...]
    certain: tuple[Choice, ...]
    rated: float
    decisions: int
    left_out: dict[str, int]


def gather(
    stories: Iterable[Story],
    *,
    seen: Callable[[str], bool] | None = None,
    reads: Callable[[str], bool] | None = None,
    most_certain: int = 20_000,
) -> Gathered:
    """Sort the stories of a log; of the certain ones the first `most_certain` are kept, all are counted.

    `seen` says of a prompt whether the policy was trained on it: its answers would flatter the policy.
    `reads` says of a version of features whether the policy reads those; without it only texts count.
    """
    rows: list[Row] = []
    certain: list[Choice] = []
    left_out: dict[str, int] = {}
    total = answered = rated = 0
    for story in stories:
        total += 1
        asked = _asked(story.decision, reads)
        why = _unfit(story, asked)
        row = None if why or asked is None else _row(story, asked)
        if why is None and not _failed(story):
            answered += 1
            rated += row is not None
        text = story.decision.prompt
        if row is None or (seen is not None and text is not None and seen(text)):
            why = why or (UNRATED if row is None else SEEN)
            left_out[why] = left_out.get(why, 0) + 1
        else:
            rows.append(row)
        if why == CERTAIN and asked is not None and len(certain) < most_certain:
            certain.append(Choice(asked, story.decision.odds))
    share = rated / answered if answered else 1.0
    if share == 0.0:  # failures alone, which need no rating, say nothing of a choice
        left_out[UNRATED] = left_out.get(UNRATED, 0) + len(rows)
        rows = []
    return Gathered(tuple(rows), tuple(certain), share, total, left_out)


def quality_of(story: Story) -> float | None:
    """How good the answer was, 0 to 1; None where nobody knows.

    It is what feedback comes to (`domain/feedback.py`), and 0 for a failure of which it says nothing.
    """
    if story.quality is not None:
        return story.quality
    return 0.0 if _failed(story) else None


def _asked(decision: Decision, reads: Callable[[str], bool] | None) -> Asked | None:
    """What a policy can read of it; features of a version that it does not read are no use."""
    kept = decision.vector is not None and reads is not None and reads(decision.vector_version)
    vector, version = (decision.vector, decision.vector_version) if kept else (None, "")
    if decision.prompt is not None:
        return Asked(prompt_key(decision.prompt), decision.prompt, vector, version)
    if vector is None:
        return None
    return Asked(decision.prompt_hash or sha256(vector).hexdigest(), None, vector, version)


def _unfit(story: Story, asked: Asked | None) -> str | None:
    decision, outcome = story.decision, story.outcome
    if decision.shadow_of is not None:
        return SHADOW
    if decision.model != "auto" and not decision.model.startswith("auto:"):
        return PINNED
    if len(decision.shortlist) < 2:  # noqa: PLR2004 - a choice needs two
        return FORCED
    if decision.objective is not None:
        return OWN_OBJECTIVE
    if not decision.odds or not 0.0 < (decision.propensity or 0.0) <= 1.0:
        return NO_ODDS
    if asked is None:
        return NO_TEXT
    if sum(p > 0.0 for p in decision.odds.values()) < 2:  # noqa: PLR2004 - chance needs two
        return CERTAIN
    if outcome is None:
        return UNFINISHED
    return CANCELLED if outcome.status == "cancelled" else None


def _row(story: Story, asked: Asked) -> Row | None:
    decision, outcome = story.decision, story.outcome
    quality = quality_of(story)
    if quality is None or outcome is None:
        return None
    return Row(
        asked,
        decision.odds,
        decision.chosen,
        decision.propensity,
        quality,
        outcome.latency_s,
        outcome.cost_usd,
        failed=_failed(story),
        mission=decision.evidence.get("mission_criticality"),
        time=decision.evidence.get("time_criticality"),
    )


def _failed(story: Story) -> bool:
    return story.outcome is not None and story.outcome.status in ("error", "incomplete")
