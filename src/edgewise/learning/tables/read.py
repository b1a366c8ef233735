"""CSV, CSV.gz, JSONL and Parquet → an outcome table; what is wrong with a file becomes one sentence."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

from edgewise.domain.errors import TableError
from edgewise.learning.tables.build import Builder
from edgewise.learning.tables.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

    from edgewise.learning.tables.table import OutcomeTable

    Rows = Iterable[Mapping[str, Any]]

PROGRESS_ROWS = 500_000
PRIVACY = "privacy"  # what `edgewise log export` writes of a promise
KEPT_BACK = "{:,} rows were left out: their prompts were declared private, and may not be sent elsewhere."
PEEKED = 100  # JSONL has no header: its columns are those of the first rows
LONGEST_FIELD = 2**31 - 1
KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read_table(
    path: Path, layout: Layout | None = None, *, progress: Callable[[str], None] | None = None
) -> OutcomeTable:
    """Read a table, or raise `TableError`.

    Memory is bounded: of more than the layout's `most_prompts` prompts a random sample is kept, which the
    table's `notes` then say. `progress` gets a sentence now and then.
    """
    with readable(path), rows_of(path) as (names, rows):
        layout = layout or Layout()
        builder, private = Builder(layout, path.name, names), 0
        for number, row in enumerate(rows, start=1):
            if layout.shareable and row.get(PRIVACY):
                private += 1
            else:
                builder.add(row, number)
            if progress and number % PROGRESS_ROWS == 0:
                progress(f"{path.name}: {number:,} rows read")
    table = builder.table()
    return replace(table, notes=(*table.notes, KEPT_BACK.format(private))) if private else table


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Let what is wrong with a file be a `TableError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(f"{path.name} is not UTF-8 text; save it as UTF-8.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path.name} is damaged or no gzip file; pack it again, or unpack it.") from error
    except csv.Error as error:
        raise TableError(f"{path.name} is no CSV: {error}.") from error
    except OSError as error:
        raise TableError(f"Cannot read {path}: {error.strerror or error}.") from error


@contextmanager
def rows_of(path: Path) -> Generator[tuple[list[str], Rows]]:
    """The column names, and the rows as mappings, as they stand in the file. Raises `TableError`."""
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    if not plain.endswith(KINDS):
        raise TableError(f"{path.name} is of no known kind; a table ends in {', '.join(KINDS)} or .csv.gz.")
    if name.endswith(".parquet"):
        yield _parquet(path)
        return
    with _text(path) as file:
        if plain.endswith((".jsonl", ".ndjson")):
            yield _jsonl(file, path.name)
        else:
            csv.field_size_limit(LONGEST_FIELD)
            reader = csv.DictReader(file, delimiter="\t" if plain.endswith(".tsv") else ",")
            yield list(reader.fieldnames or []), reader


def _text(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _jsonl(file: TextIO, name: str) -> tuple[list[str], Rows]:
    def parsed() -> Iterator[Mapping[str, Any]]:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                raise TableError(f"{name}, line {number} is not JSON.") from None
            if not isinstance(row, dict):
                raise TableError(f"{name}, line {number} is no JSON object.")
            yield cast("Mapping[str, Any]", row)

    rows = parsed()
    first = list(islice(rows, PEEKED))
    return list(dict.fromkeys(key for row in first for key in row)), chain(first, rows)


def _parquet(path: Path) -> tuple[list[str], Rows]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise TableError(
            "Reading Parquet needs the extra 'parquet': pip install 'edgewise[parquet]'; "
            "or save the table as CSV."
        ) from None
    if not path.is_file():
        raise TableError(f"Cannot read {path}: there is no such file.")
    try:
        file: Any = parquet.ParquetFile(path)
    except Exception as error:
        raise TableError(f"{path.name} is no Parquet file.") from error
    return list(file.schema_arrow.names), (
        row for batch in file.iter_batches(4096) for row in batch.to_pylist()
    )
