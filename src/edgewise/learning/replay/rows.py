"""From stories to what can be replayed: decisions that chance had a part in and whose answers were judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgewise.domain.decisions import Feedback
    from edgewise.domain.stories import Story

SHADOW = "only a shadow answered, and no client saw it"
PINNED = "the caller named the candidate"
FORCED = "at most one candidate was left"
OWN_OBJECTIVE = "the caller asked for another objective"
UNFINISHED = "no outcome was recorded"
CANCELLED = "the caller hung up"
NO_TEXT = "the prompt's text was not kept"
NO_ODDS = "the odds were not recorded"
CERTAIN = "nothing was left to chance (a session, a private prompt, or no exploration)"
UNRATED = "nobody rated the answer"
SEEN = "the policy was trained on the prompt"


class Row(Struct, frozen=True):
    """One logged decision. `odds` holds the whole shortlist; `failed` says that no whole answer came."""

    prompt: str
    odds: dict[str, float]
    chosen: str
    propensity: float
    quality: float
    latency_s: float | None
    cost_usd: float | None
    failed: bool = False


class Choice(Struct, frozen=True):
    """What any free decision shows, rated or not: the prompt, and the logged odds of its shortlist."""

    prompt: str
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
    stories: Iterable[Story], *, seen: Callable[[str], bool] | None = None, most_certain: int = 20_000
) -> Gathered:
    """Sort the stories of a log; of the certain ones the first `most_certain` are kept, all are counted.

    `seen` says of a prompt whether the policy was trained on it: its answers would flatter the policy.
    """
    rows: list[Row] = []
    certain: list[Choice] = []
    left_out: dict[str, int] = {}
    total = answered = rated = 0
    for story in stories:
        total += 1
        why = _unfit(story)
        row = None if why else _row(story)
        if why is None and not _failed(story):
            answered += 1
            rated += row is not None
        if row is None or (seen is not None and seen(row.prompt)):
            why = why or (UNRATED if row is None else SEEN)
            left_out[why] = left_out.get(why, 0) + 1
        else:
            rows.append(row)
        if why == CERTAIN and len(certain) < most_certain:
            certain.append(Choice(story.decision.prompt or "", story.decision.odds))
    share = rated / answered if answered else 1.0
    if share == 0.0:  # failures alone, which need no rating, say nothing of a choice
        left_out[UNRATED] = left_out.get(UNRATED, 0) + len(rows)
        rows = []
    return Gathered(tuple(rows), tuple(certain), share, total, left_out)


def quality_of(story: Story) -> float | None:
    """How good the answer was, 0 to 1; None where nobody knows.

    It is the mean of what feedback says, and 0 for a failure of which it says nothing. A `quality` counts
    as it is; where no feedback of a story has one, thumbs count as 1 (up) and 0 (down). A `rating` has no
    known scale and counts for nothing.
    """
    if story.quality is not None:
        return story.quality
    thumbs = [_thumb(said) for said in story.feedback if said.thumbs is not None]
    if thumbs:
        return sum(thumbs) / len(thumbs)
    return 0.0 if _failed(story) else None


def _unfit(story: Story) -> str | None:
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
    if decision.prompt is None:
        return NO_TEXT
    if sum(p > 0.0 for p in decision.odds.values()) < 2:  # noqa: PLR2004 - chance needs two
        return CERTAIN
    if outcome is None:
        return UNFINISHED
    return CANCELLED if outcome.status == "cancelled" else None


def _row(story: Story) -> Row | None:
    decision, outcome = story.decision, story.outcome
    quality = quality_of(story)
    if quality is None or outcome is None or decision.prompt is None:
        return None
    return Row(
        decision.prompt,
        decision.odds,
        decision.chosen,
        decision.propensity,
        quality,
        outcome.latency_s,
        outcome.cost_usd,
        failed=_failed(story),
    )


def _failed(story: Story) -> bool:
    return story.outcome is not None and story.outcome.status in ("error", "incomplete")


def _thumb(said: Feedback) -> float:
    return 1.0 if said.thumbs == "up" else 0.0
