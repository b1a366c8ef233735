"""What a policy would have earned on a log: from stories and the policy's wishes to figures or a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from msgspec import Struct

from edgewise.learning.replay.estimators import Estimates, Logged, estimate
from edgewise.learning.replay.refusals import Footing, agreement_of, footing, refusal
from edgewise.learning.replay.rows import Asked, Gathered, gather
from edgewise.policies.objectives import Measured, Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.decisions import Estimate
    from edgewise.domain.stories import Story

    Floats = NDArray[np.float64]

Verdict = Literal["better", "no different", "worse"]
FEW_RATED = 0.5
DEFAULT = 5.0  # criticality where nobody says


@dataclass(frozen=True, slots=True)
class Wishes:
    """A policy's say on n prompts.

    `odds` (n, m) are 0 off each prompt's shortlist and sum to 1 in every row. `forecasts` holds (n, m) for
    each measure that it foresees: `utility`, `quality`, `latency_s`, `cost_usd`. `criticality` (n, 2) is the
    mission and time criticality that it foresees. `from_log` counts prompts whose logged features it read.
    """

    odds: Floats
    forecasts: Mapping[str, Floats] = field(default_factory=dict[str, "Floats"])
    criticality: Floats | None = None
    from_log: int = 0


class Wishing(Protocol):
    """The policy to replay: its odds over each prompt's own shortlist.

    `offered` (n, m) says which of the m `candidates` stood on the shortlist of each prompt.
    """

    def __call__(
        self, asked: Sequence[Asked], candidates: Sequence[str], offered: NDArray[np.bool_]
    ) -> Wishes:
        """Say it; what was asked, candidates and `offered` in the order of the answer's rows and columns."""
        ...


class Replayed(Struct, frozen=True):
    """The answer. `measures` is empty where `refusal` says why.

    `verdict` compares the policy with the log's own: by utility, or by quality where there is none.
    """

    policy: str
    objective: str
    footing: Footing
    rated: float
    decisions: int
    left_out: dict[str, int]
    measures: dict[str, Estimates]
    verdict: Verdict | None
    refusal: str | None
    notes: tuple[str, ...]


def replay(  # noqa: PLR0913 - a log, a policy, and what the policy has seen and can read
    stories: Iterable[Story],
    wishing: Wishing,
    objective: Objective,
    *,
    seen: Callable[[str], bool] | None = None,
    reads: Callable[[str], bool] | None = None,
    policy: str = "the policy",
) -> Replayed:
    """What the policy behind `wishing` would have earned in these stories, or why they do not say.

    `seen` says of a prompt whether the policy was trained on it; such decisions are left out. `reads` says
    which versions of logged features it reads.
    """
    gathered = gather(stories, seen=seen, reads=reads)
    logged, wishes = _logged(gathered, wishing)
    found = footing(logged)
    why = refusal(gathered, found, _agreement_where_certain(gathered, wishing) if not len(logged) else None)
    measures: dict[str, Estimates] = {}
    notes = _notes(gathered)
    if gathered.rows:
        notes.append(_what_was_read(gathered, wishes))
    if why is None:
        measured, said = _measured(gathered, objective, wishes.criticality)
        notes += [said] if objective.name == "qos" else []
        if "utility" not in measured:
            notes.append(_no_utility(objective))
        for name, values in measured.items():
            measures[name] = estimate(logged, values, wishes.forecasts.get(name))
    main = measures.get("utility") or measures.get("quality")
    return Replayed(
        policy=policy,
        objective=objective.name,
        footing=found,
        rated=gathered.rated,
        decisions=gathered.decisions,
        left_out=gathered.left_out,
        measures=measures,
        verdict=None if main is None else verdict(main.difference),
        refusal=why,
        notes=tuple(notes),
    )


def verdict(difference: Estimate) -> Verdict:
    """What a 95 % interval of a difference says."""
    if difference.low > 0.0:
        return "better"
    return "worse" if difference.high < 0.0 else "no different"


def _logged(gathered: Gathered, wishing: Wishing) -> tuple[Logged, Wishes]:
    rows = gathered.rows
    candidates, odds = _matrix([row.odds for row in rows])
    place = {name: column for column, name in enumerate(candidates)}
    offered = np.array([[name in row.odds for name in candidates] for row in rows], dtype=np.bool_)
    asked = [row.asked for row in rows]
    wishes = wishing(asked, candidates, offered) if rows else Wishes(odds)
    return (
        Logged(
            chosen=np.array([place[row.chosen] for row in rows], dtype=np.intp),
            odds=odds,
            propensity=np.array([row.propensity for row in rows]),
            wanted=wishes.odds,
            keys=[prompt.key for prompt in asked],
            share=np.array([gathered.rated if row.failed else 1.0 for row in rows]),
        ),
        wishes,
    )


def _agreement_where_certain(gathered: Gathered, wishing: Wishing) -> float | None:
    choices = gathered.certain
    if not choices:
        return None
    candidates, odds = _matrix([choice.odds for choice in choices])
    offered = np.array([[name in choice.odds for name in candidates] for choice in choices], dtype=np.bool_)
    return agreement_of(wishing([choice.asked for choice in choices], candidates, offered).odds, odds)


def _matrix(odds: Sequence[Mapping[str, float]]) -> tuple[tuple[str, ...], Floats]:
    """Every candidate that was ever on a shortlist, and (n, m) odds, 0 where it was not."""
    candidates = tuple(dict.fromkeys(name for row in odds for name in row))
    found = [[row.get(name, 0.0) for name in candidates] for row in odds]
    return candidates, np.array(found, dtype=np.float64).reshape(len(odds), len(candidates))


def _measured(
    gathered: Gathered, objective: Objective, foreseen: Floats | None
) -> tuple[dict[str, Floats], str]:
    """(n,) of each measure, NaN where it is unknown, and whose criticality made the utility.

    A measure that no row has is left out.
    """
    rows = gathered.rows
    quality = np.array([row.quality for row in rows])
    latency = np.array([np.nan if row.latency_s is None else row.latency_s for row in rows])
    cost = np.array([np.nan if row.cost_usd is None else row.cost_usd for row in rows])
    logged = np.array([[np.nan if c is None else c for c in (row.mission, row.time)] for row in rows])
    stated = np.full_like(logged, DEFAULT) if foreseen is None else foreseen
    mission, time = np.where(np.isnan(logged), stated, logged).T
    utility = objective.utility(
        Measured(quality=quality, latency_s=latency, cost_usd=cost, mission=mission, time=time)
    )
    found = {"quality": quality, "latency_s": latency, "cost_usd": cost}
    if utility is not None:
        found = {"utility": np.asarray(utility, dtype=np.float64), **found}
    known = {name: values for name, values in found.items() if not np.isnan(values).all()}
    return known, _whose_criticality(int((~np.isnan(logged)).any(axis=1).sum()), len(rows), foreseen)


def _whose_criticality(logged: int, rows: int, foreseen: Floats | None) -> str:
    others = f"{DEFAULT:g}" if foreseen is None else "what the bundle forecasts"
    if logged == 0:
        return f"Criticalities: {others}; the log records none."
    rest = f", {others} for the other {rows - logged:,}" if logged < rows else ""
    return f"Criticalities: as logged for {logged:,} decisions{rest}."


def _what_was_read(gathered: Gathered, wishes: Wishes) -> str:
    """Whether the policy saw what it would have seen, and whether its training prompts could be left out."""
    texts = len(gathered.rows) - wishes.from_log
    parts = (
        [f"the logged features of the whole conversation for {wishes.from_log:,}"] if wishes.from_log else []
    )
    parts += [f"the text of the last message alone for {texts:,}"] if texts else []
    unknown = sum(row.asked.text is None for row in gathered.rows)
    blind = (
        f" Whether it was trained on {unknown:,} of them nobody knows: they have no text." if unknown else ""
    )
    return f"The policy read {' and '.join(parts)} of the decisions.{blind}"


def _no_utility(objective: Objective) -> str:
    return (
        f"The log does not record what the objective '{objective.name}' is made of "
        f"({', '.join(objective.needs)}); the verdict goes by quality."
    )


def _notes(gathered: Gathered) -> list[str]:
    notes: list[str] = []
    if gathered.rows and gathered.rated < FEW_RATED:
        notes.append(
            f"Only {gathered.rated:.1%} of the answers were rated; if people rate some kinds of answers more "
            "often than others, the figures lean towards those."
        )
    failed = sum(row.failed for row in gathered.rows)
    if failed:
        notes.append(f"{failed:,} requests failed and count as quality 0.")
    return notes
