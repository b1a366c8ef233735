"""What the watch over drift found, in the words of `edgewise health`."""

from __future__ import annotations

from time import localtime, strftime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.monitors.drift import Calibration, DriftReport, Prompts, Shift

SHOWN = 3  # statistics of prompts


def drift_lines(found: DriftReport) -> Iterator[str]:
    """One line about prompts, one a candidate and metric, one a candidate's forecasts."""
    yield f"Prompts: {_prompts(found.prompts)}."
    for shift in found.shifts:
        if shift.amount is not None:
            yield f"{shift.candidate}: {_shift(shift)}."
    for each in found.calibration:
        said = [*_quality(each), *_latency(each)]
        if said:
            yield f"{each.candidate}: {'; '.join(said)}."


def _prompts(prompts: Prompts) -> str:
    if not prompts.moved:
        said = f"not compared ({prompts.why})"
    else:
        moved = ", ".join(
            f"{each.name} {each.index:.2f}{'' if not each.index else ' up' if each.places > 0 else ' down'}"
            for each in prompts.moved[:SHOWN]
        )
        said = f"moved most against {prompts.against}: {moved} (population stability; {prompts.samples})"
    far = prompts.far_share
    return said if far is None else f"{said}; {far:.1%} of {prompts.judged} are unlike any learned from"


def _shift(shift: Shift) -> str:
    against = "the forecast" if shift.against == "forecast" else "its own past"
    amount = shift.amount or 0.0
    if shift.metric == "latency_s":
        said = f"latency is {amount:.2f} times {against}"
    else:
        said = f"quality is {abs(amount):.3f} {'below' if amount > 0 else 'above'} {against}"
    if shift.since is None:
        return f"{said}, which is no more than chance or is tolerated ({shift.samples})"
    since = strftime("%Y-%m-%d %H:%M", localtime(shift.since))
    where = ""
    if shift.slice is not None:
        part = shift.slice
        name = f"the key {part.value}" if part.trait == "key" else part.words
        where = f", most of all {name} ({part.share:.0%} of the latest)"
    return f"{said} since {since}{where}"


def _quality(each: Calibration) -> Iterator[str]:
    if each.ece is not None and each.by_chance is not None and each.covered is not None:
        yield (
            f"calibration error of quality {each.ece:.3f} (by chance {each.by_chance:.3f}, {each.labels} "
            f"labels), {each.covered:.0%} of them where the mean is within its interval"
        )


def _latency(each: Calibration) -> Iterator[str]:
    latency = each.latency
    if latency is not None:
        yield (
            f"{latency.share:.0%} of latencies within their interval (should be {latency.level:.0%}; "
            f"{latency.low:.0%} to {latency.high:.0%} of {latency.count})"
        )
