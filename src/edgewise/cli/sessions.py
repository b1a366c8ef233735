"""`edgewise sessions`: look into conversations that are kept, move them about, take them along."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from edgewise.cli.console import err, out, print_json, table
from edgewise.cli.setup import JsonOption  # noqa: TC001 - Typer reads it at run time
from edgewise.domain.errors import RequestError
from edgewise.domain.places import home
from edgewise.sessions.records import Session, new_id
from edgewise.sessions.store import FILE, UNTITLED, SessionStore

STDIN = "-"
COLUMNS = ("id", "changed", "messages", "last answered by", "local", "title")
FORMATS = ("json", "markdown")
app = typer.Typer(no_args_is_help=True, help="Look into conversations that are kept, and move them about.")
WhichArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A session's id, a beginning that only it has, or `last`.")
]
TitleOption = Annotated[str | None, typer.Option("--title", help="A title of its own.")]
LocalOption = Annotated[bool, typer.Option("--local", help="Nothing of it may leave this machine, for good.")]


@app.command("list")
def list_(  # noqa: PLR0913 - Typer takes one argument an option
    *,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many of the latest.")] = 50,
    title: Annotated[str | None, typer.Option(help="Whose title holds this text.")] = None,
    candidate: Annotated[str | None, typer.Option(help="In which this one has answered.")] = None,
    after: Annotated[str | None, typer.Option(help="Changed after this date, such as 2026-11-21.")] = None,
    until: Annotated[str | None, typer.Option(help="Not changed after this date.")] = None,
    local: Annotated[
        bool | None, typer.Option("--local/--not-local", help="Only those that must not leave, or may.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List sessions, the latest first."""
    found = _store().latest(
        number, title=title, candidate=candidate, after=_date(after), until=_date(until), local=local
    )
    if as_json:
        print_json([_plain(session) for session in found])
    else:
        table("", COLUMNS, [row(session) for session in found])


@app.command()
def show(which: WhichArgument, *, as_json: JsonOption = False) -> None:
    """Print a session with its messages."""
    from edgewise.outcomes.plain import harmless  # noqa: PLC0415 - loaded when used

    session = _store().show(which)
    out(_as_json(session) if as_json else harmless(_as_markdown(session)), end="")


@app.command()
def new(
    title: Annotated[str, typer.Argument(help="What to call it.")] = UNTITLED, *, local: LocalOption = False
) -> None:
    """Make an empty session, and print its id: for `edgewise chat --session`, or `x-edgewise-session`."""
    out(_store().create(title, local=local).id)


@app.command()
def rename(which: WhichArgument, title: Annotated[str, typer.Argument(help="The new title.")]) -> None:
    """Give a session another title."""
    _say(_store().rename(which, title))


@app.command()
def copy(which: WhichArgument, *, title: TitleOption = None) -> None:
    """Make a second session with the same messages, and print its id."""
    out(_store().copy(which, title).id)


@app.command()
def merge(
    which: Annotated[list[str], typer.Argument(metavar="ID ID…", help="Two sessions or more.")],
    *,
    title: TitleOption = None,
) -> None:
    """Make a session of several, one after the other, and print its id; local if one of them is."""
    out(_store().merge(which, title).id)


@app.command()
def export(
    which: WhichArgument,
    *,
    output: Annotated[str, typer.Option("-o", "--output", help="The file; `-` is standard output.")] = "-",
    form: Annotated[
        str | None, typer.Option("--format", help="json or markdown (default: as FILE ends, else json).")
    ] = None,
) -> None:
    """Write a session as JSON, which `import` reads, or as Markdown for people."""
    from edgewise.cli.console import write_failure  # noqa: PLC0415 - loaded when used
    from edgewise.outcomes.aside import aside  # noqa: PLC0415 - the same

    chosen = form or ("markdown" if output.endswith(".md") else "json")
    if chosen not in FORMATS:
        raise RequestError(f"The format {chosen[:40]!r} does not exist; there are {' and '.join(FORMATS)}.")
    session = _store().show(which)
    text = _as_json(session) if chosen == "json" else _as_markdown(session)
    try:
        with aside(output) as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise write_failure(output, error) from error


@app.command("import")
def import_(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="What `export` wrote, or ~/.oblix/sessions/*.json.")
    ],
    *,
    local: LocalOption = False,
    copy: Annotated[bool, typer.Option("--copy", help="Give each an id of its own.")] = False,
) -> None:
    """Take sessions in, each under the id that it has, and print the ids. All files are read first."""
    from msgspec.structs import replace  # noqa: PLC0415 - loaded when used

    from edgewise.domain.privacy import LOCAL  # noqa: PLC0415 - the same
    from edgewise.sessions.exchange import from_json  # noqa: PLC0415 - the same

    found = [from_json(_read(file), source=_named(file), now=time.time()) for file in files]
    for session in _store().put_all(
        replace(
            session,
            id=new_id() if copy else session.id,
            privacy=LOCAL if local else session.privacy,
        )
        for session in found
    ):
        out(session.id)


@app.command()
def delete(
    which: Annotated[list[str], typer.Argument(metavar="ID…", help="As `show` takes it; several will do.")],
) -> None:
    """Forget sessions. There is no way back."""
    store = _store()
    for session in [store.show(one) for one in which]:
        _say(store.delete(session.id), "deleted ")


def row(session: Session) -> list[str]:
    """One line of a table, safe for a terminal."""
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - loaded when used

    changed = datetime.fromtimestamp(session.updated_at).astimezone().strftime("%Y-%m-%d %H:%M")
    held = session.privacy or ""
    who = plain(session.candidate or "")
    return [session.id, changed, str(session.count), who, plain(held), plain(session.title)]


def _store() -> SessionStore:
    return SessionStore(home() / FILE)


def _say(session: Session, done: str = "") -> None:
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - loaded when used

    err(f"{done}{session.id}: {plain(session.title)}")


def _plain(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "local": session.local,
        "privacy": session.privacy,
        "candidate": session.candidate,
        "messages": session.count,
    }


def _as_json(session: Session) -> str:
    from edgewise.sessions.exchange import to_json  # noqa: PLC0415 - loaded when used

    return to_json(session).decode()


def _as_markdown(session: Session) -> str:
    from edgewise.sessions.exchange import to_markdown  # noqa: PLC0415 - loaded when used

    return to_markdown(session)


def _read(file: str) -> bytes:
    from edgewise.sessions.exchange import MOST_BYTES  # noqa: PLC0415 - loaded when used

    try:
        if file == STDIN:
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise RequestError(f"Cannot read {_named(file)}: {error.strerror}.") from error


def _named(file: str) -> str:
    return "standard input" if file == STDIN else file


def _date(said: str | None) -> float | None:
    """The beginning of a day, or a moment, on this machine's clock, in unix seconds."""
    if said is None:
        return None
    try:
        return datetime.fromisoformat(said).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise RequestError(f"{said[:40]!r} is no date; expected one like 2026-11-21.") from None
