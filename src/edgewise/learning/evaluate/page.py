"""A report on disk: JSON, pictures, and one page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import TableError
from edgewise.learning.drawing import inside
from edgewise.learning.evaluate.charts import charts
from edgewise.learning.evaluate.show import choices, rows, sentences

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.learning.evaluate.report import Report

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933 }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #d9e2ec; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
tr.ours { background: #e8f5ef; font-weight: 600 }
img { max-width: 100%; display: block; margin: 1rem 0 }
.verdict { font-size: 1.15rem; font-weight: 600 }
"""


def write(report: Report, folder: Path) -> list[str]:
    """Write `evaluation.json`, `evaluation.html` and a PNG for each picture; returns their names."""
    pictures = charts(report)
    files = {f"{name}.png": raw for name, raw in pictures.items()}
    files["evaluation.json"] = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    files["evaluation.html"] = page(report, pictures).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, raw in files.items():
            (folder / name).write_bytes(raw)
    except OSError as error:
        raise TableError(f"The evaluation cannot be written to {folder}: {error.strerror}.") from error
    return sorted(files)


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
{_table(*rows(report, intervals=True))}
<h2>Whom each policy chose, prompts</h2>
{_table(*choices(report))}
<ul>{notes}</ul>
{inside(pictures)}
</body></html>
"""


def _table(columns: list[str], lines: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(
        f"<tr{_mark(line[0])}>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
        for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _mark(name: str) -> str:
    return ' class="ours"' if name.startswith("learned") else ""
