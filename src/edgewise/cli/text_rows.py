"""Rows with a text, from a table or from lines, and the same rows written as JSONL or CSV."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec

from edgewise.domain.errors import RequestError, TableError
from edgewise.learning.tables.read import KINDS, readable, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Row = tuple[str, Mapping[str, Any]]

STDIN = "-"


def text_rows(source: str, column: str) -> Iterator[Row]:
    """Each row's text and the row itself, one at a time. Raises `TableError` or `RequestError`.

    In a text file, and on standard input, a line that is a JSON object is a row, and any other line a text.
    """
    plain = source.lower().removesuffix(".gz")
    return _table(Path(source), column) if plain.endswith(KINDS) else _lines(source, column)


def writer(target: IO[bytes], name: str) -> Callable[[dict[str, Any]], None]:
    """What writes a row: as CSV where `name` ends so (its columns are the first row's), else as JSONL."""
    if not name.lower().endswith(".csv"):
        return lambda row: target.writelines([msgspec.json.encode(row, enc_hook=str), b"\n"])
    columns: list[str] = []

    def write(row: dict[str, Any]) -> None:
        line = io.StringIO(newline="")
        out = csv.writer(line)
        if not columns:
            columns.extend(row)
            out.writerow(columns)
        out.writerow([_cell(row.get(column)) for column in columns])
        target.write(line.getvalue().encode("utf-8", "replace"))

    return write


def _cell(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, (dict, list)) else value


def _table(path: Path, column: str) -> Iterator[Row]:
    with readable(path), rows_of(path) as (names, rows):
        if column not in names:
            raise TableError(
                f"{path.name} has no column `{column}`; it has {', '.join(map(repr, names[:12]))}. "
                "Say which one it is: --text-column NAME."
            )
        for row in rows:
            value = row.get(column)
            yield "" if value is None else str(value), row


def _lines(source: str, column: str) -> Iterator[Row]:
    name = "standard input" if source == STDIN else source
    try:
        with nullcontext(sys.stdin.buffer) if source == STDIN else Path(source).open("rb") as file:
            for number, raw in enumerate(file, start=1):
                yield _line(raw, f"{name}, line {number}", column)
    except OSError as error:
        raise RequestError(f"Cannot read {source}: {error.strerror}.") from error


def _line(raw: bytes, where: str, column: str) -> Row:
    try:
        line = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise RequestError(f"{where} is not UTF-8 text: its byte {error.start} cannot be read.") from error
    row = _object(line)
    if row is None:
        return line, {column: line}
    if not isinstance(row.get(column), str):
        raise RequestError(f"{where} is a JSON object without a text called `{column}`.")
    return row[column], row


def _object(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return cast("dict[str, Any]", found)
