"""The outcome table: one row for each prompt that was decided and ended. The learning side's currency."""

from __future__ import annotations

import csv
import gzip
import io
from importlib import import_module
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

import msgspec

from edgewise.domain.errors import MissingExtra, StoreError
from edgewise.domain.privacy import promise_for
from edgewise.outcomes.aside import STDOUT, aside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgewise.domain.stories import Story

Format = Literal["csv", "csv.gz", "jsonl", "parquet"]
COLUMNS: dict[str, type] = {
    "prompt": str,
    "candidate": str,
    "location": str,
    "quality": float,
    "judge": str,
    "latency_s": float,
    "cost_usd": float,
    "usd_per_mtok": float,
    "energy_j": float,
    "response": str,
    "input_tokens": int,
    "output_tokens": int,
    "propensity": float,
    "at": float,
    "status": str,
    "chosen": str,
    "policy": str,
    "reason": str,
    "session": str,
    "privacy": str,
    "cost_state": str,
    "simulated": bool,
    "ttft_s": float,
    "prompt_hash": str,
    "decision_id": str,
    "shadow_policy": str,
    "shadow_chosen": str,
    "shadow_of": str,
}
ROWS_A_GROUP = 2_000  # of Parquet


def rows(stories: Iterable[Story]) -> Iterator[dict[str, Any]]:
    """The table's rows: what ended, in the order of the log; an absent value is None.

    `candidate` is the one that answered. Where that is not the chosen one (a fallback), `location` and
    `propensity` are None: nobody drew it. A shadow that was asked has a row of its own, with the id of the
    client's decision in `shadow_of`, and without `propensity`: nothing was drawn. `quality` is what the
    feedback comes to (`domain/feedback.py`) and `judge` whose word that is. A failure has a `status` other
    than "ok" and no quality of its own: what a failure is worth is for the reader to say.
    """
    for story in stories:
        decision, outcome = story.decision, story.outcome
        if outcome is None or not decision.chosen:  # nobody answered: there is nothing to learn about anybody
            continue
        drawn = outcome.candidate == decision.chosen
        beside = decision.shadow
        tokens = (outcome.input_tokens or 0) + (outcome.output_tokens or 0)
        priced = outcome.cost_usd is not None and tokens > 0
        yield {
            "prompt": decision.prompt,
            "candidate": outcome.candidate,
            "location": decision.location if drawn else None,
            "quality": story.quality,
            "judge": story.judged_by,
            "latency_s": outcome.latency_s,
            "cost_usd": outcome.cost_usd,
            "usd_per_mtok": (outcome.cost_usd or 0.0) / tokens * 1_000_000 if priced else None,
            "energy_j": outcome.energy_j,
            "response": outcome.response,
            "input_tokens": outcome.input_tokens,
            "output_tokens": outcome.output_tokens,
            "propensity": decision.propensity if drawn and decision.shadow_of is None else None,
            "at": decision.at,
            "status": outcome.status,
            "chosen": decision.chosen,
            "policy": decision.policy,
            "reason": decision.reason,
            "session": decision.session,
            "privacy": promise_for(decision),
            "cost_state": outcome.cost_state,
            "simulated": decision.simulated,
            "ttft_s": outcome.ttft_s,
            "prompt_hash": decision.prompt_hash,
            "decision_id": decision.id,
            "shadow_policy": beside.policy if beside else None,
            "shadow_chosen": beside.chosen if beside else None,
            "shadow_of": decision.shadow_of,
        }


def format_of(target: str, named: str | None = None) -> Format:
    """The format that was named, or that the file's name ends in; CSV for standard output.

    Raises StoreError for one that we cannot write.
    """
    formats: tuple[Format, ...] = get_args(Format)
    for known in formats:
        if named == known or (named is None and target.lower().endswith(f".{known}")):
            return known
    if named is None and target == STDOUT:
        return "csv"
    what = f"The format '{named}'" if named else f"The ending of '{target}'"
    raise StoreError(f"{what} is none that can be written; there are {', '.join(formats)}.")


def export(stories: Iterable[Story], target: str, form: Format) -> int:
    """Write the table to the file `target` ("-" is standard output); how many rows it has.

    The file is written aside and renamed at the end, so that it is whole or not there. Raises StoreError
    where it cannot be written, MissingExtra where Parquet is asked for and pyarrow is not installed.
    """
    write = _WRITERS[form]
    try:
        with aside(target) as file:
            return write(rows(stories), file)
    except BrokenPipeError:
        raise
    except OSError as error:
        what = "Standard output" if target == STDOUT else target
        raise StoreError(f"{what} cannot be written: {error.strerror or error}.") from error


def _csv(table: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        writer = csv.DictWriter(text, COLUMNS)  # ends its lines with CR LF, so that a lone CR gets quoted too
        writer.writeheader()
        count = 0
        for row in table:
            writer.writerow(row)
            count += 1
        text.flush()
    finally:
        text.detach()
    return count


def _csv_gz(table: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        return _csv(table, packed)  # type: ignore[arg-type]  # GzipFile is a binary file in all but name


def _jsonl(table: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    encode = msgspec.json.Encoder().encode
    count = 0
    for row in table:
        file.write(encode(row) + b"\n")
        count += 1
    file.flush()
    return count


def _parquet(table: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtra("Parquet", "parquet") from error
    kinds = {str: arrow.string(), float: arrow.float64(), int: arrow.int64(), bool: arrow.bool_()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    count = 0
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(table, ROWS_A_GROUP)):
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


_WRITERS = {"csv": _csv, "csv.gz": _csv_gz, "jsonl": _jsonl, "parquet": _parquet}
