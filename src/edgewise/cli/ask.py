"""`edgewise ask`: one prompt, its answer, and one line about the decision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, out
from edgewise.cli.lines import line
from edgewise.cli.prompt_files import given
from edgewise.cli.setup import ConfigOption, naming, run, settings_or_found
from edgewise.domain.decisions import Outcome

if TYPE_CHECKING:
    from edgewise.domain.decisions import Record
    from edgewise.settings import Settings

TEMPERATURE = 0.2  # small models ramble at their own default


def command(
    prompt: Annotated[str, typer.Argument(help="The prompt; `-` reads it from standard input.")],
    *,
    model: Annotated[str, typer.Option(help="auto, auto:POLICY or a candidate's id.")] = "auto",
    local: Annotated[bool, typer.Option("--local", help="The prompt must not leave this machine.")] = False,
    config: ConfigOption = None,
) -> None:
    """Ask one prompt; the answer streams to standard output, the decision's line to standard error.

    A terminal gets the answer with its control characters spelled out; a file or a pipe gets it as it is.
    """
    prompt = given(prompt)
    settings, _ = settings_or_found(config)
    with naming(config):
        run(_ask(settings, prompt, model, local=local))


async def _ask(settings: Settings, prompt: str, model: str, *, local: bool) -> None:
    from edgewise.app import App  # noqa: PLC0415 - loaded only when something is asked
    from edgewise.gateway.chat_body import chat_of  # noqa: PLC0415 - the same
    from edgewise.outcomes.plain import harmless  # noqa: PLC0415 - the same
    from edgewise.upstreams.reading import words_of  # noqa: PLC0415 - the same

    shown = harmless if sys.stdout.isatty() else str
    outcomes: list[Outcome] = []

    def observe(record: Record) -> None:
        if isinstance(record, Outcome):
            outcomes.append(record)

    wishes = {"privacy": "local"} if local else {}
    request = chat_of(prompt, {"model": model, "stream": True, "temperature": TEMPERATURE}, wishes)
    async with App(settings, observer=observe) as app:
        answer = await app.router.route(request)
        if answer.pieces is not None:
            async for piece in answer.pieces:
                out(shown(words_of(piece)), end="")
        out()
    if outcomes:
        err(line(answer.decision, outcomes[-1]))
