"""Files of all kinds → prompts: CSV, JSON lines, Parquet, plain text, chat exports."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import msgspec

from edgewise.domain.errors import TableError
from edgewise.domain.privacy import privacy_of
from edgewise.learning.prompts.arrays import elements
from edgewise.learning.prompts.chats import LISTS, Turns, as_line
from edgewise.learning.prompts.files import NAMES, Prompt, line_of, prompt_from
from edgewise.learning.prompts.texts import LONGEST_LINE, lines_in, opened, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import TextIOWrapper
    from pathlib import Path

    Found = Iterator[tuple[str, object]]  # where it stands; what stands there, or a TableError

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".txt")
# Other names under which our keys are found in the wild.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("query", "question", "text"),
    "group": ("task", "category"),
}
BATCH = 1024
LONGEST_SHOWN = 12  # columns that an error lists


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: `columns` are our names for theirs; `labels` go to prompts that have none."""

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, Any] = field(default_factory=dict[str, Any])
    turns: Turns = "first"


def found_in(path: Path, reading: Reading) -> Iterator[Prompt | TableError]:
    """The prompts of a file, and what is no prompt as an error in its place; in bounded memory.

    Raises `TableError` for a file that cannot be read any further.
    """
    for where, row in _rows(path, reading):
        yield row if isinstance(row, TableError) else _prompt(row, where, path.name, reading)


def _rows(path: Path, reading: Reading) -> Found:
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    if not plain.endswith(KINDS):
        raise TableError(f"{path.name} is of no known kind; prompts are read from {', '.join(KINDS)}.")
    if name.endswith(".parquet"):
        yield from _parquet(path, reading)
        return
    with opened(path) as text:
        if plain.endswith((".csv", ".tsv")):
            yield from _csv(text, path.name, reading, "\t" if plain.endswith(".tsv") else ",")
        elif plain.endswith(".json"):
            for number, element in enumerate(elements(text, path.name), start=1):
                yield f"{path.name}, element {number}", element
        else:
            for number, line in lines_in(text, path.name):
                where = f"{path.name}, line {number}"
                yield where, line if plain.endswith(".txt") else _parsed(line, where)


def _parsed(line: str | TableError, where: str) -> object:
    if isinstance(line, TableError):
        return line
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return TableError(f"{where} {problem_of(line) or 'is not JSON'}.")


def _csv(text: TextIOWrapper, name: str, reading: Reading, delimiter: str) -> Found:
    csv.field_size_limit(LONGEST_LINE)
    lines = csv.reader(_whole_lines(text, name), delimiter=delimiter, strict=True)
    try:
        header = next(lines, None)
        if header is None:
            raise TableError(f"{name} is empty; its first line should name columns, such as prompt.")
        _check(header, name, reading)
        for number, cells in enumerate(lines, start=1):
            where = f"{name}, row {number}"
            if len(cells) > len(header):
                yield where, TableError(f"{where} has {len(cells)} cells for {len(header)} columns.")
            elif cells:
                yield where, {key: cell for key, cell in zip(header, cells, strict=False) if cell}
    except csv.Error as error:
        raise TableError(
            f"{name}, line {lines.line_num} is no CSV: {error}; is a quote missing before it?"
        ) from error


def _whole_lines(text: TextIOWrapper, name: str) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise TableError(f"{name} has a line longer than {LONGEST_LINE:,} characters; it is no table.")
        yield line


def _parquet(path: Path, reading: Reading) -> Found:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise TableError(
            "Reading Parquet needs the extra 'parquet': pip install 'edgewise[parquet]'; or save it as CSV."
        ) from None
    if not path.is_file():
        raise TableError(f"Cannot read {path}: there is no such file.")
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            _check(list(file.schema_arrow.names), path.name, reading)
            for batch in file.iter_batches(BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path.name}, row {number}", {k: v for k, v in row.items() if v is not None}
    except TableError:
        raise
    except Exception as error:
        where = f"{path.name} is damaged after row {number}" if number else f"{path.name} is no Parquet file"
        raise TableError(f"{where}.") from error


def _check(names: list[str], file: str, reading: Reading) -> None:
    """Raise `TableError` unless some column holds prompts, and the named ones are there."""
    for ours, theirs in reading.columns.items():
        if ours not in NAMES:
            raise TableError(f"--columns names '{ours}', which a prompt has not; it has {', '.join(NAMES)}.")
        if theirs not in names:
            raise TableError(f"{file} has no column '{theirs}'; it has {_some(names)}.")
    wanted = ("prompt", "messages", *ALIASES["prompt"], *LISTS)
    if not {"prompt", "messages"} & set(reading.columns) and not set(wanted) & set(names):
        raise TableError(
            f"{file} has no column `prompt`; it has {_some(names)}. "
            "Say which one it is: --columns prompt=NAME."
        )


def _prompt(record: object, where: str, file: str, reading: Reading) -> Prompt | TableError:
    made = _made(record, file, reading)
    if isinstance(made, str):
        return TableError(f"{where} {made}.")
    try:
        line_of(made)
    except UnicodeEncodeError:
        return TableError(f"{where} holds half a character (a lone surrogate), which is no text.")
    return made


def _made(record: object, file: str, reading: Reading) -> Prompt | str:
    """A record as a prompt, or the end of a sentence that says why it is none."""
    try:
        line = as_line(_named(record, reading), reading.turns)
        if isinstance(line, str):
            return line
        if isinstance(line.get("level"), str | float):
            line["level"] = int(line["level"])
    except (ValueError, RecursionError):
        return "has `messages` or `check` that are no JSON, or a `level` that is no number"
    there = {name: value for name, value in line.items() if name not in NAMES or value is not None}
    known: dict[str, Any] = {"source": file, **reading.labels, **there}
    try:
        known["privacy"] = privacy_of(reading.labels.get("privacy"), line.get("privacy"))
    except (ValueError, TypeError, AttributeError):
        return "has a `privacy` that means nothing; it is `local`, or regions such as `region:eu`"
    return prompt_from(known)


def _named(record: object, reading: Reading) -> object:
    """A row under our names, with JSON in its cells read."""
    if not isinstance(record, dict):
        return record
    found: dict[str, Any] = dict(cast("dict[str, Any]", record))
    for ours, theirs in reading.columns.items():
        if theirs in found:
            found[ours] = found.pop(theirs)
    for ours, others in ALIASES.items():
        if ours not in found and not (ours == "prompt" and found.keys() & {"messages", *LISTS, "mapping"}):
            other = next((name for name in others if name in found), None)
            if other:
                found[ours] = found.pop(other)
    for name in ("messages", "check", *LISTS):
        value = found.get(name)
        if isinstance(value, str) and (name == "check" or "prompt" not in found):
            found[name] = json.loads(value)
    return found


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:LONGEST_SHOWN])
    return shown if len(names) <= LONGEST_SHOWN else f"{shown} and {len(names) - LONGEST_SHOWN} more"
