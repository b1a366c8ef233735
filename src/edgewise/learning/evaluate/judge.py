"""What policies chose → what their choices realised, with intervals and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.evaluate.baselines import BEST_SINGLE, chosen
from edgewise.learning.evaluate.bootstrap import UNKNOWN, Bootstrap, interval, mean_of
from edgewise.learning.evaluate.held_out import BEST, LEARNED, ORACLE
from edgewise.learning.evaluate.measures import gap_closed, quantile
from edgewise.learning.evaluate.report import Comparison, PolicyReport
from edgewise.learning.tables import added, utilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.evaluate.bootstrap import Interval, Verdict
    from edgewise.learning.evaluate.held_out import Gathered

    Floats = NDArray[np.float64]

METRICS = ("utility", "quality", "latency_s", "cost_usd", "edge")
TAIL = 0.95


@dataclass(frozen=True, slots=True)
class Realised:
    """What one policy's choices came to: each measure (n,) by prompt, NaN where it was not measured."""

    name: str
    odds: Floats
    values: dict[str, Floats]
    latency: Floats


def realised(found: Gathered) -> list[Realised]:
    """Every policy, in the order of the table that is printed."""
    plain = _matrices(found, None)
    read = _matrices(found, found.first) if found.first is not None else plain
    return [
        _realised(name, found.sheets[name].odds, read if name == found.answered else plain)
        for name in _ordered(found)
    ]


def policy_reports(
    found: Gathered, policies: list[Realised], boot: Bootstrap, apgr: dict[str, float]
) -> tuple[PolicyReport, ...]:
    """The printed table's rows."""
    by_name = {policy.name: policy for policy in policies}
    single, oracle = (by_name[name].values["utility"] for name in (BEST_SINGLE, ORACLE))
    bounds = boot.draws(np.stack([single, oracle], axis=1))
    worth = np.stack([policy.values["utility"] for policy in policies], axis=1)
    drawn = boot.draws(worth)
    means = boot.means(np.hstack([np.stack([p.values[m] for p in policies], axis=1) for m in METRICS]))
    regrets = boot.means(oracle[:, None] - worth)
    count = len(policies)
    return tuple(
        PolicyReport(
            name=policy.name,
            utility=means[row],
            sd=float(np.nanstd(policy.values["utility"])),
            regret=regrets[row],
            gap_closed=interval(
                _closed(policy.values["utility"], single, oracle),
                gap_closed(drawn[:, row], bounds[:, 0], bounds[:, 1]),
            ),
            choices=dict(zip(found.table.candidates, policy.odds.sum(axis=0).round(6).tolist(), strict=True)),
            quality=_known(means[count + row]),
            latency_s=_known(means[2 * count + row]),
            latency_p95_s=_or_none(quantile(policy.latency, policy.odds, TAIL)),
            cost_usd=_known(means[3 * count + row]),
            edge_share=means[4 * count + row] if found.table.edge() else None,
            apgr=apgr.get(policy.name),
        )
        for row, policy in enumerate(policies)
    )


def comparisons(found: Gathered, policies: list[Realised], boot: Bootstrap) -> tuple[Comparison, ...]:
    """The learned policies against the best baseline and best single, both picked in the training parts."""
    by_name = {policy.name: policy.values["utility"] for policy in policies}
    ours = [name for name in (LEARNED, found.answered) if name in by_name]
    made: list[Comparison] = []
    for name in ours:
        for other in (BEST, BEST_SINGLE):
            difference, verdict = boot.verdict(by_name[name], by_name[other])
            against = f"{other} ({_picked(found)})" if other == BEST else other
            made.append(
                Comparison(name, other, difference, verdict, _sentence(name, against, difference, verdict))
            )
    if found.answered in by_name:
        difference, verdict = boot.verdict(by_name[found.answered], by_name[LEARNED])
        said = _sentence(found.answered, LEARNED, difference, verdict)
        made.append(Comparison(found.answered, LEARNED, difference, verdict, said))
    return tuple(made)


def sd_over_repeats(found: Gathered) -> float | None:
    """The standard deviation, over repeats, of the learned policy's mean utility; None for one repeat."""
    scores = found.sheets[LEARNED].scores
    if len(scores) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    worth = [float((chosen(each) * found.gain).sum(axis=1).mean()) for each in scores]
    return float(np.std(worth, ddof=1))


def _matrices(found: Gathered, after: int | None) -> dict[str, Floats]:
    """Each measure (n, m), with the first candidate's cost and time added where its answer was read."""
    table = found.table
    costs = table.costs()
    unknown = np.full(found.gain.shape, np.nan)
    edge = np.array([candidate in table.edge() for candidate in table.candidates], dtype=np.float64)
    return {
        "utility": found.gain if after is None else utilities(table, found.objective, after=after),
        "quality": table.metric("quality"),
        "latency_s": added(table.metric("latency_s"), after),
        "cost_usd": unknown if costs is None else added(costs, after),
        "edge": np.broadcast_to(edge, found.gain.shape),
    }


def _realised(name: str, odds: Floats, matrices: dict[str, Floats]) -> Realised:
    values: dict[str, Floats] = {}
    for measure, matrix in matrices.items():
        values[measure] = np.where(odds > 0, odds * matrix, 0.0).sum(axis=1)
    return Realised(name, odds, values, matrices["latency_s"])


def _ordered(found: Gathered) -> list[str]:
    first = [LEARNED, found.answered, BEST, BEST_SINGLE]
    names = [*first, *(name for name in found.sheets if name not in (*first, ORACLE)), ORACLE]
    return [name for name in names if name in found.sheets]


def _closed(ours: Floats, single: Floats, oracle: Floats) -> float:
    means = (np.array([mean_of(values)]) for values in (ours, single, oracle))
    return float(gap_closed(*means)[0])


def _picked(found: Gathered) -> str:
    """Which baseline was best inside the training parts, and in how many of them."""
    total = sum(found.picked.values())
    (name, times), *others = found.picked.most_common()
    return name if not others else f"{name} in {times} of {total} folds"


def _sentence(ours: str, theirs: str, difference: Interval, verdict: Verdict) -> str:
    size = f"{difference.mean:+.4g} [{difference.low:+.4g}, {difference.high:+.4g}] in utility a prompt"
    if verdict == "better":
        return f"The policy '{ours}' is better than {theirs}: {size}."
    if verdict == "worse":
        return f"The policy '{ours}' is worse than {theirs}: {size}."
    return f"The policy '{ours}' is no different from {theirs}: {size}."


def _known(found: Interval) -> Interval | None:
    return None if found == UNKNOWN or np.isnan(found.mean) else found


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
