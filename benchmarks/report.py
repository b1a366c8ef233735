"""The table at the end of a run, and its JSON."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.findings import Finding

HEADINGS = ("what", "measured", "target", "", "spread")


def table(findings: Sequence[Finding]) -> str:
    """One line a finding, as Markdown, so that it can be pasted into docs/benchmarks.md."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *map(_row, findings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines += [f"INVALID: {f.name}: {f.why_invalid}." for f in findings if f.why_invalid]
    return "\n".join(lines)


def _row(finding: Finding) -> tuple[str, ...]:
    unit = "" if finding.unit == "x" else f" {finding.unit}"
    ambition = "" if finding.ambition is None else f", better {finding.ambition:g}{unit}"
    return (
        finding.name,
        f"{finding.value:.3g}{unit}" if finding.value < 100 else f"{finding.value:.0f}{unit}",
        f"<= {finding.target:g}{unit}{ambition}",
        finding.verdict,
        finding.note,
    )


def save(folder: Path, findings: Sequence[Finding], facts: dict[str, Any]) -> Path:
    """Write everything that was measured, and on what, to a file named after the time."""
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("gateway-%Y%m%d-%H%M%S.json")
    told = {"machine": facts, "findings": [finding.as_json() for finding in findings]}
    path.write_text(json.dumps(told, indent=2) + "\n")
    return path
