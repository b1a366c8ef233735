"""What all pages of the learning side share: how they look, tables, and pictures inside the page."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from edgewise.domain.errors import EdgewiseError

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


def save(files: Mapping[str, bytes], folder: Path, what: str, kind: type[EdgewiseError]) -> list[str]:
    """Write `files` into `folder`; gives their names. Raises `kind` where `what` cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, raw in files.items():
            (folder / name).write_bytes(raw)
    except OSError as error:
        raise kind(f"The {what} cannot be written to {folder}: {error.strerror}.") from error
    return sorted(files)


def inside(pictures: Mapping[str, bytes]) -> str:
    """HTML with the PNG files by name in it, so that a page asks no server for them."""
    return "\n".join(
        f'<img alt="{escape(name)}" src="data:image/png;base64,{b64encode(raw).decode()}">'
        for name, raw in pictures.items()
    )


def table(
    columns: Sequence[str], lines: Iterable[Sequence[str]], ours: Callable[[str], bool] = lambda _: False
) -> str:
    """HTML of a table; lines of whose first cell `ours` is true stand out."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(_line(line, ours=ours(line[0])) for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _line(cells: Sequence[str], *, ours: bool) -> str:
    mark = ' class="ours"' if ours else ""
    return f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
