"""The only place that prints: plain text, JSON, tables, and the last sentence before exit 2."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import typer

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence


WIDE = 160  # columns where nobody looks through a terminal


def out(text: str = "", *, end: str = "\n") -> None:
    """Write to standard output at once."""
    with _written():
        sys.stdout.write(text + end)
        sys.stdout.flush()


def err(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_json(value: Any, *, indent: int = 2) -> None:
    """Write a record or plain data as JSON; `indent=0` gives one line."""
    encoded = msgspec.json.encode(value)
    out((msgspec.json.format(encoded, indent=indent) if indent else encoded).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draw a table as wide as the terminal; a cell that does not fit ends in an ellipsis."""
    from rich import box  # noqa: PLC0415 - drawing tools load only when something is drawn
    from rich.console import Console  # noqa: PLC0415 - the same
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    drawn = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        drawn.add_column(column, no_wrap=True, overflow="ellipsis")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = Console()
    with _written():
        Console(width=console.width if console.is_terminal else WIDE).print(drawn)
        sys.stdout.flush()


@contextmanager
def _written() -> Generator[None]:
    """Let a full disk be a sentence. A reader that went away stays a BrokenPipeError, which ends quietly."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError(f"Standard output takes {error.encoding} only; set PYTHONUTF8=1.") from error
    except OSError as error:
        raise write_failure("-", error) from error


def write_failure(target: str, error: OSError) -> Exception:
    """What to raise where `target` ("-" is standard output) could not be written."""
    if isinstance(error, BrokenPipeError):
        return error
    what = "standard output" if target == "-" else target
    return StoreError(f"Cannot write {what}: {error.strerror or error}.")


def fail(message: str) -> NoReturn:
    """Say in one sentence what is wrong, and exit with 2."""
    err(f"edgewise: {message}")
    raise typer.Exit(2)
