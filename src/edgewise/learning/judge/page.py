"""A judge's report on disk: JSON, pictures, and one page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import TableError
from edgewise.learning.judge.charts import charts
from edgewise.learning.judge.show import candidate_rows, sentences
from edgewise.learning.pages import STYLE, inside, save, table

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.learning.judge.report import JudgeReport


def write(report: JudgeReport, folder: Path) -> list[str]:
    """Write `judge.json`, `judge.html` and a PNG for each picture; returns their names."""
    pictures = charts(report)
    files = {f"judge-{name}.png": raw for name, raw in pictures.items()}
    files["judge.json"] = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    files["judge.html"] = page(report, pictures).encode("utf-8", "replace")
    return save(files, folder, "report", TableError)


def page(report: JudgeReport, pictures: dict[str, bytes]) -> str:
    """One HTML page with its pictures inside; it asks no server for anything."""
    notes = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(report))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Judges on {escape(report.table)}</title><style>{STYLE}</style></head><body>
<h1>Judges on {escape(report.table)}</h1>
{table(*candidate_rows(report))}
<ul>{notes}</ul>
{inside(pictures)}
</body></html>
"""
