"""Deferral curves between two candidates, the cost-quality frontier, and how forecasts come true."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.evaluate.bootstrap import interval
from edgewise.learning.evaluate.held_out import LEARNED, ORACLE
from edgewise.learning.evaluate.measures import Frontier, deferral, deferral_by, frontier, reliability
from edgewise.learning.evaluate.report import CalibrationReport, DeferralReport, FrontierReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.evaluate.bootstrap import Bootstrap
    from edgewise.learning.evaluate.held_out import Gathered

    Floats = NDArray[np.float64]

POINTS = np.linspace(0.0, 1.0, 101)
DRAWS = 300  # of a curve's area; each sorts all prompts
PAIR = 2


def worth_of(found: Gathered) -> tuple[str, Floats]:
    """What curves are drawn in: quality, or the utility where that is the aim or quality is missing."""
    quality = found.table.metric("quality")
    if found.objective.name in ("qos", "reward") or np.isnan(quality).any():
        return "utility", found.gain
    return "quality", quality


def pair(found: Gathered) -> tuple[int, int] | None:
    """The columns of the weak and the strong candidate; None unless there are two that differ."""
    if len(found.table.candidates) != PAIR:
        return None
    mean = worth_of(found)[1].mean(axis=0)
    if mean[0] == mean[1]:
        return None
    return (0, 1) if mean[0] < mean[1] else (1, 0)


def apgrs(found: Gathered) -> dict[str, float]:
    """The area under each scoring policy's deferral curve, averaged over repeats; chance is .5."""
    places = pair(found)
    if places is None:
        return {}
    weak, strong = places
    value = worth_of(found)[1]
    areas = {
        name: [
            deferral_by(strata, s[:, strong] - s[:, weak], value[:, weak], value[:, strong]).apgr
            for s, strata in zip(sheet.scores, _strata(found, name), strict=True)
        ]
        for name, sheet in found.sheets.items()
        if name != ORACLE and len(sheet.scores) == len(found.fold) and not np.isnan(sheet.scores).any()
    }
    perfect = deferral(value[:, strong] - value[:, weak], value[:, weak], value[:, strong])
    return {name: float(np.mean(area)) for name, area in areas.items()} | {ORACLE: perfect.apgr}


def deferrals(found: Gathered, boot: Bootstrap) -> tuple[DeferralReport, ...]:
    """The curves of the learned policy: from the prompt, and from the answer too where one was read."""
    places = pair(found)
    if places is None:
        return ()
    weak, strong = places
    names = [LEARNED]
    if found.answered and found.first == weak:
        names.append(found.answered)
    return tuple(_deferral(found, boot, name, weak, strong) for name in names)


def frontier_report(found: Gathered) -> FrontierReport | None:
    """Choosing by forecast quality less the price of cost; None where costs or quality were not measured."""
    costs, quality = found.table.costs(), found.table.metric("quality")
    said = [q for q in found.quality if not np.isnan(q).any()]
    if costs is None or found.prices is None or not said or np.isnan(costs).any() or np.isnan(quality).any():
        return None
    most = float(costs.mean(axis=0).max())
    singles = Frontier(costs.mean(axis=0), quality.mean(axis=0))
    lines = [frontier(q, found.prices, quality, costs) for q in said]
    return FrontierReport(
        cost_usd=lines[0].cost.tolist(),
        quality=lines[0].quality.tolist(),
        most_usd=most,
        aiq=float(np.mean([line.aiq(most) for line in lines])),
        aiq_singles=singles.aiq(most),
    )


def calibration_report(found: Gathered) -> CalibrationReport | None:
    """Forecast against measured quality, all candidates together; None where none was forecast."""
    said = np.vstack(found.quality)
    measured = reliability(said, np.tile(found.table.metric("quality"), (len(found.quality), 1)))
    if measured is None:
        return None
    return CalibrationReport(
        measured.forecast.tolist(), measured.measured.tolist(), measured.count.tolist(), measured.ece
    )


def _deferral(found: Gathered, boot: Bootstrap, name: str, weak: int, strong: int) -> DeferralReport:
    measure, value = worth_of(found)
    reads = name == found.answered
    gains = [scores[:, strong] - scores[:, weak] for scores in found.sheets[name].scores]
    lines = list(zip(_strata(found, name), gains, strict=True))
    low, high = value[:, weak], value[:, strong]
    curves = [deferral_by(strata, gain, low, high) for strata, gain in lines]
    drawn = [deferral_by(*lines[0], low, high, weight).apgr for weight in islice(boot.weights(), DRAWS)]
    by_fold = [
        deferral(gain[fold == number], low[fold == number], high[fold == number]).apgr
        for gain, fold in zip(gains, found.fold, strict=True)
        for number in np.unique(fold)
    ]
    return DeferralReport(
        policy=name,
        weak=found.table.candidates[weak],
        strong=found.table.candidates[strong],
        measure=measure,
        reads_answer=reads,
        apgr=interval(float(np.mean([curve.apgr for curve in curves])), np.array(drawn)),
        apgr_sd_over_folds=float(np.nanstd(by_fold)) if not np.isnan(by_fold).all() else float("nan"),
        cpt50=float(np.mean([curve.calls_for(0.5) for curve in curves])),
        cpt80=float(np.mean([curve.calls_for(0.8) for curve in curves])),
        share=POINTS.tolist(),
        reached=np.mean([curve.at(POINTS) for curve in curves], axis=0).tolist(),
        cost_usd=_along(lines, found.table.costs(), weak, strong, reads=reads),
        latency_s=_along(lines, found.table.metric("latency_s"), weak, strong, reads=reads),
    )


def _strata(found: Gathered, name: str) -> list[NDArray[np.int64]]:
    """Within what prompts are ordered: the fold, or everything where each fold has the same policy."""
    return [np.zeros_like(fold) if name in found.pooled else fold for fold in found.fold]


def _along(
    lines: list[tuple[NDArray[np.int64], Floats]],
    spent: Floats | None,
    weak: int,
    strong: int,
    *,
    reads: bool,
) -> list[float] | None:
    """Mean cost or latency at each share; a weak call whose answer was read is paid for every prompt."""
    if spent is None or np.isnan(spent).any():
        return None
    deferred = spent[:, strong] + (spent[:, weak] if reads else 0.0)
    curves = [deferral_by(strata, gain, spent[:, weak], deferred).at(POINTS) for strata, gain in lines]
    along: list[float] = np.mean(curves, axis=0).tolist()
    return along
