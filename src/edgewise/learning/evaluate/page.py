"""A report on disk: JSON, pictures, and one page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import TableError
from edgewise.learning.evaluate.charts import charts
from edgewise.learning.evaluate.show import choices, rows, sentences
from edgewise.learning.pages import STYLE, inside, save, table

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.learning.evaluate.report import Report


def write(report: Report, folder: Path) -> list[str]:
    """Write `evaluation.json`, `evaluation.html` and a PNG for each picture; returns their names."""
    pictures = charts(report)
    files = {f"{name}.png": raw for name, raw in pictures.items()}
    files["evaluation.json"] = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    files["evaluation.html"] = page(report, pictures).encode()
    return save(files, folder, "evaluation", TableError)


def page(report: Report, pictures: dict[str, bytes]) -> str:
    """One HTML page with its pictures inside; it asks no server for anything."""
    notes = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(report))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation on {escape(report.table)}</title><style>{STYLE}</style></head><body>
<p>{escape(report.leakage.sentence)}</p>
<h1>Evaluation on {escape(report.table)}</h1>
<p class="verdict">{escape(report.verdict)}</p>
<p>{report.prompts:,} prompts, {escape(report.kind)}, objective {escape(report.objective)}. Everything in the
tables was measured; forecasts appear only in the reliability figure, under that name.</p>
<h2>What each policy realised</h2>
{table(*rows(report, intervals=True), ours=_learned)}
<h2>Whom each policy chose, prompts</h2>
{table(*choices(report), ours=_learned)}
<ul>{notes}</ul>
{inside(pictures)}
</body></html>
"""


def _learned(policy: str) -> bool:
    return policy.startswith("learned")
