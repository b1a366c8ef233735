"""`edgewise serve`: the gateway."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, out
from edgewise.cli.lines import Lines
from edgewise.cli.setup import ConfigOption, naming, run, settings_or_found, with_address
from edgewise.settings.load import DEFAULT_FILE

if TYPE_CHECKING:
    from types import FrameType

    from edgewise.domain.decisions import Record
    from edgewise.settings import Settings


def command(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (default: 8787).", min=0, max=65535)
    ] = None,
    config: ConfigOption = None,
    decisions: Annotated[
        bool | None, typer.Option(help="Print each decision as it happens (default: on a terminal).")
    ] = None,
) -> None:
    """Start the gateway. Ctrl-C ends it, with exit code 0."""
    settings, notes = settings_or_found(config)
    settings = with_address(settings, host, port)
    show = sys.stdout.isatty() if decisions is None else decisions
    with naming(config):
        run(_serve(settings, notes, config, show=show))


async def _serve(settings: Settings, notes: tuple[str, ...], config: Path | None, *, show: bool) -> None:
    from edgewise.app import App  # noqa: PLC0415 - the gateway loads only when it serves
    from edgewise.app.showing import dashboard_for  # noqa: PLC0415 - the same
    from edgewise.app.watching import watchers_for  # noqa: PLC0415 - the same
    from edgewise.gateway import Accounts, Gateway, Pages, Traced, listen, serve  # noqa: PLC0415 - the same

    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has drained
        signal.signal(number, _nothing)
    listener = listen(settings.server)
    host, port = listener.getsockname()[:2]
    accounts = Accounts(settings.server.keys, time_zone=settings.budget.time_zone)
    watchers = watchers_for(settings)
    bells = [*([accounts.observe] if accounts.by_name else []), *watchers.observers()]
    bells += [Lines(out)] if show else []

    def observe(record: Record) -> None:
        for bell in bells:
            bell(record)

    async with App(settings, observer=observe) as app, watchers.on(app):
        accounts.load(app.reader)
        pages = Pages(
            router=app.router,
            log=app.log,
            reader=app.reader,
            server=settings.server,
            embeddings={settings.embeddings.model: app.embed},
            ready=app.problem,
            warnings=app.warnings,
            promises=app.promises,
            metrics=watchers.metrics(app),
        )
        file = config or Path(DEFAULT_FILE)
        site = dashboard_for(app, watchers.patrol, file.resolve() if file.exists() else None)
        if site is not None:
            bells.append(site.observe)
        app.warm()
        for line in banner(settings, notes, app_address(host, port)):
            err(line) if not show else out(line)
        kind = Traced if settings.monitor.traces else Gateway
        await serve(kind(app.router, pages, settings.server, accounts, site), settings.server, listener)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A signal that is dealt with elsewhere."""
    del number, frame


def app_address(host: str, port: int) -> str:
    """The URL to point a client at."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def banner(settings: Settings, notes: tuple[str, ...], url: str) -> list[str]:
    """What a person sees at the start: what was found, who can answer, and what to try."""
    lines = [f"Edgewise listens on {url}/v1", *(f"  {note}" for note in notes), ""]
    lines += [f"  {c.location:<5}  {_described(c)}" for c in settings.candidates]
    policy, keys = settings.policy, settings.server.keys
    authorization = " -H 'authorization: Bearer YOUR-KEY'" if keys else ""
    lines += [
        "",
        f"  policy {policy.kind}; explores {policy.explore:.0%} of choices; the log keeps prompts: "
        f"{settings.store.prompts}",
        "",
        "Try it:",
        f"  curl {url}/v1/chat/completions -H 'content-type: application/json'{authorization} \\",
        """    -d '{"model": "auto", "messages": [{"role": "user", "content": "Name three colours."}]}'""",
        "or in Python:",
        "  from openai import OpenAI",
        f'  client = OpenAI(base_url="{url}/v1", api_key="{"YOUR-KEY" if keys else "any"}")',
        '  question = [{"role": "user", "content": "What is the capital of France?"}]',
        '  print(client.chat.completions.create(model="auto", messages=question).choices[0].message.content)',
        "",
    ]
    if keys:
        names = ", ".join(key.name for key in keys)
        lines.append(
            f"  YOUR-KEY is what `edgewise keys new` printed for {names}; without one, requests get 401."
        )
    return lines


def _described(candidate: object) -> str:
    from edgewise.settings import describe  # noqa: PLC0415 - loaded already when this is called

    shown = describe(candidate)  # type: ignore[arg-type]
    price = (
        "unpriced"
        if shown.price is None
        else f"${shown.price.input:g}/${shown.price.output:g} per million tokens"
    )
    label = " (simulated)" if shown.simulated else ""
    return f"{shown.id}{label}  {shown.endpoint or shown.model}  {price}"
