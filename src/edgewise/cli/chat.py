"""`edgewise chat`: a conversation that streams, is kept, and goes on offline."""

from __future__ import annotations

import os
import sys
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err
from edgewise.cli.setup import ConfigOption, naming, settings_or_found
from edgewise.domain.errors import RequestError
from edgewise.domain.places import home

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from edgewise.app import App
    from edgewise.cli.conversation import Latest
    from edgewise.cli.talk import Talk
    from edgewise.settings import Settings

PROMPT = "> "
HISTORY = "chat_history"
MOST_LINES = 1000


def command(  # noqa: PLR0913 - Typer takes one argument an option
    *,
    session: Annotated[
        str | None, typer.Option("--session", help="Go on with this session; `last` is the latest.")
    ] = None,
    model: Annotated[str, typer.Option(help="auto, auto:POLICY or a candidate's id.")] = "auto",
    system: Annotated[str | None, typer.Option(help="What every new session begins with.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Nothing must leave this machine.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no cloud.")] = False,
    config: ConfigOption = None,
) -> None:
    """Talk with whoever is chosen. `/help` lists what else can be typed; Ctrl-C stops an answer.

    Where standard input is no terminal, each of its lines is typed in turn; the exit code is 2 where one
    of them went wrong.
    """
    from edgewise.cli.background import Background  # noqa: PLC0415 - loaded only when somebody talks
    from edgewise.cli.conversation import Conversation, Latest  # noqa: PLC0415 - the same
    from edgewise.cli.talk import Talk  # noqa: PLC0415 - the same
    from edgewise.sessions import FILE, SessionStore  # noqa: PLC0415 - the same

    settings, notes = settings_or_found(config)
    store, latest = SessionStore(home() / FILE), Latest()
    with naming(config), closing(store), Background() as loop:
        app = loop.run(_opened(settings, latest))
        try:
            chat = Conversation(app, store, keep=settings.store.prompts == "full", system=system)
            if session is not None:
                chat.load(session)
            chat.choose(model)
            if local:
                chat.make_local()
            chat.offline = offline
            for note in notes:
                err(note)
            well = _follow(Talk(loop, chat, latest, store), keep=settings.store.prompts == "full")
        finally:
            loop.run(app.__aexit__(None, None, None))
    if not well:
        raise typer.Exit(2)


async def _opened(settings: Settings, latest: Latest) -> App:
    from edgewise.app import App  # noqa: PLC0415 - loaded only when something is asked

    app = App(settings, observer=latest)
    await app.__aenter__()
    app.warm()
    return app


def _follow(talk: Talk, *, keep: bool) -> bool:
    """Take line after line; whether every one of a script went well (a person sees for themselves)."""
    from edgewise.cli.talk import Quit  # noqa: PLC0415 - loaded already

    person = sys.stdin.isatty()
    well = True
    try:
        for line in _typed(talk, keep=keep) if person else _script():
            well = talk.take(line) and well
    except Quit:
        pass
    return well or person


def _script() -> Iterator[str]:
    """The lines of standard input. Raises `RequestError` at the first that is no UTF-8."""
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise RequestError(
                f"Standard input, line {number} is not UTF-8 text: its byte {error.start} cannot be read."
            ) from error


def _typed(talk: Talk, *, keep: bool) -> Iterator[str]:
    """What a person types, until Ctrl-D; where texts are kept, with yesterday's lines."""
    err(f"Session {talk.chat.session.id}. /help lists what can be typed, Ctrl-D ends.")
    path = home() / HISTORY
    with _history(path) if keep else nullcontext():
        while True:
            try:
                yield input(PROMPT)
            except EOFError:
                err("")
                return
            except KeyboardInterrupt:
                err("\nCtrl-D or /quit ends the chat.")


@contextmanager
def _history(path: Path) -> Generator[None]:
    """Earlier lines under the arrow keys; only the owner may read the file."""
    try:
        import readline  # noqa: PLC0415 - it changes how `input` reads, and not every platform has it
    except ImportError:
        yield
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        readline.read_history_file(path)
    readline.set_history_length(MOST_LINES)
    try:
        yield
    finally:
        with suppress(OSError):
            readline.write_history_file(path)
