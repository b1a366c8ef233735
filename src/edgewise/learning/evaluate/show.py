"""A report as a table of text: for the terminal and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.learning.evaluate.bootstrap import Interval
    from edgewise.learning.evaluate.report import PolicyReport, Report

COLUMNS = (
    "policy", "utility", "sd", "quality", "latency s", "p95 s", "USD per 1k", "edge share", "regret",
    "gap closed", "APGR",
)  # fmt: skip
PER_1K = 1000.0


def rows(report: Report, *, intervals: bool = False) -> tuple[list[str], list[list[str]]]:
    """Column names and rows; a column in which nothing was measured is left out.

    Utility and gap closed always have their 95 % intervals, the rest on demand.
    """
    full = [_row(policy, intervals=intervals) for policy in report.policies]
    kept = [place for place in range(len(COLUMNS)) if any(row[place] for row in full)]
    return [COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in full]


def choices_by_candidate(report: Report) -> tuple[list[str], list[list[str]]]:
    """`choices` turned round, for a terminal: without the policies whose choices go without saying."""
    shown = [p for p in report.policies if not p.name.startswith(("always ", "random", "best single"))]
    lines = [[c, *(f"{p.choices[c]:.4g}" for p in shown)] for c in report.candidates]
    return ["candidate", *(p.name.removeprefix("learned, ") for p in shown)], lines


def choices(report: Report) -> tuple[list[str], list[list[str]]]:
    """How many prompts each policy gave to each candidate, averaged over repeats."""
    named = [[p.name, *(f"{p.choices[c]:.4g}" for c in report.candidates)] for p in report.policies]
    return ["policy", *report.candidates], named


def sentences(report: Report) -> list[str]:
    """What the table does not say: comparisons, curves, frontier, calibration, seeds, notes."""
    said = [each.sentence for each in report.comparisons]
    for curve in report.deferral:
        reading = ", the weak call paid in each case" if curve.reads_answer else ""
        said.append(
            f"Deferral of '{curve.policy}' ({curve.weak} to {curve.strong}, in {curve.measure}{reading}): "
            f"APGR {_interval(curve.apgr)}, sd over folds {curve.apgr_sd_over_folds:.3f}; "
            f"CPT50 {_share(curve.cpt50)}, CPT80 {_share(curve.cpt80)}."
        )
    if report.frontier is not None:
        line = report.frontier
        said.append(
            f"AIQ {line.aiq:.4g} up to ${line.most_usd * PER_1K:.4g} per 1,000 prompts; "
            f"single candidates mixed reach {line.aiq_singles:.4g}."
        )
    if report.calibration is not None:
        said.append(f"Expected calibration error of the forecast quality: {report.calibration.ece:.3f}.")
    if report.utility_sd_over_repeats is not None:
        said.append(f"The learned utility varies over repeats by sd {report.utility_sd_over_repeats:.3g}.")
    said.append("Seeds: " + "; ".join(f"{k} {', '.join(map(str, v))}" for k, v in report.seeds.items()) + ".")
    return [*said, *report.notes]


def _row(policy: PolicyReport, *, intervals: bool) -> list[str]:
    show = _interval if intervals else _mean
    return [
        policy.name,
        _interval(policy.utility),
        f"{policy.sd:.3g}",
        show(policy.quality),
        show(policy.latency_s),
        "" if policy.latency_p95_s is None else f"{policy.latency_p95_s:.3g}",
        show(policy.cost_usd, PER_1K),
        "" if policy.edge_share is None else f"{policy.edge_share.mean:.1%}",
        f"{policy.regret.mean:.4g}",
        _interval(policy.gap_closed, 100, "%"),
        "" if policy.apgr is None else f"{policy.apgr:.3f}",
    ]


def _interval(found: Interval | None, times: float = 1.0, unit: str = "") -> str:
    if found is None or found.mean != found.mean:
        return ""
    mean, low, high = (times * value for value in (found.mean, found.low, found.high))
    return f"{mean:.4g}{unit} [{low:.4g}, {high:.4g}]"


def _mean(found: Interval | None, times: float = 1.0) -> str:
    return "" if found is None else f"{times * found.mean:.4g}"


def _share(value: float) -> str:
    return "not reached" if value != value else f"{value:.1%}"  # noqa: PLR0124 - NaN is not itself
