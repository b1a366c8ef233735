"""A report in words and rows: for the terminal and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.learning.evaluate.bootstrap import Interval
    from edgewise.learning.judge.agreement import Agreement, Consistency
    from edgewise.learning.judge.pairs import PairReport
    from edgewise.learning.judge.report import JudgeReport

COLUMNS = ("candidate", "judged", "unjudged", "quality")
FEW = 30  # answers: of fewer, an agreement says little


def candidate_rows(report: JudgeReport) -> tuple[list[str], list[list[str]]]:
    """One row a candidate."""
    columns: list[str] = list(COLUMNS)
    rows = [
        [each.candidate, f"{each.judged:,}", f"{each.unjudged:,}", figure(each.mean)]
        for each in report.candidates
    ]
    if report.pairs is not None:
        columns += ["win share", "strength"]
        for row in rows:
            row += [figure(of.get(row[0])) for of in (report.pairs.win_share, report.pairs.strength)]
    return columns, rows


def sentences(report: JudgeReport) -> list[str]:
    """What the table does not say."""
    who = ", ".join(f"{name} {count:,}" for name, count in report.sources.items()) or "nobody"
    said = [f"{report.judged:,} of {report.rows:,} rows have a quality, by: {who}."]
    said += [f"{count:,} rows are unjudged: {why}" for why, count in report.unjudged.items()]
    said += [_agreement(each) for each in report.agreements]
    said += [_consistency(each) for each in report.consistencies]
    if report.pairs is not None:
        said += _pairs(report.pairs)
    if report.sources and not report.agreements and _by_judges(report):
        said.append(
            "How far the judges can be trusted here is unknown: nothing that a grader or a person has judged "
            "was judged by them, too."
        )
    if report.flagged:
        said.append(
            f"{report.flagged:,} rows hold an answer that seems to talk to its judge (`judge_flags`): "
            "look at them."
        )
    said += [f"{name} judges answers of its own: models tend to prefer those." for name in report.own]
    return [*said, *report.notes]


def figure(found: Interval | None) -> str:
    """A number with its interval; empty where it cannot be told."""
    if found is None or found.mean != found.mean:
        return ""
    if found.low != found.low:
        return f"{found.mean:.3f}"
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def figures(found: Agreement) -> list[tuple[str, str]]:
    """The measures that could be told, by name."""
    named = {
        "Spearman": found.spearman,
        "kappa": found.kappa,
        "AUC": found.auc,
        "mean absolute difference": found.difference,
        "bias": found.bias,
    }
    return [(name, text) for name, interval in named.items() if (text := figure(interval))]


def _by_judges(report: JudgeReport) -> bool:
    return bool(report.consistencies) or report.pairs is not None or bool(report.own)


def _agreement(found: Agreement) -> str:
    told = ", ".join(f"{name} {text}" for name, text in figures(found)) or "too few to tell"
    few = "; few, so that this says little" if found.n < FEW else ""
    return f"{found.judge} against {found.reference}, on {found.n:,} answers{few}: {told}."


def _consistency(found: Consistency) -> str:
    if not (same := figure(found.same)):
        return f"{found.judge} asked twice, on {found.n:,} answers: too few to tell."
    return (
        f"{found.judge} asked twice, on {found.n:,} answers: within 5 points of 100 in a share of {same}; "
        f"mean absolute difference {figure(found.difference)}."
    )


def _pairs(found: PairReport) -> list[str]:
    return [
        f"{found.compared:,} pairs were compared in both orders, {found.unjudged:,} have no verdict. "
        f"The answer that stood first won {figure(found.first_wins) or 'never or always'} of the choices "
        f"(0.5: no position bias); in {figure(found.split) or 'none'} of the pairs the winner turned round "
        "with the order, which counts as a tie.",
        "Strength is the chance to win over the average candidate (Bradley-Terry).",
    ]
