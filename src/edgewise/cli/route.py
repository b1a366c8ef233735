"""`edgewise route`: decide for many prompts, without asking anyone."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import msgspec
import typer

from edgewise.cli.console import err
from edgewise.cli.extras import need_learning
from edgewise.cli.setup import ConfigOption, JsonOption, run, settings_or_found
from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.domain.decisions import Decision
    from edgewise.settings import Settings

PROGRESS_EVERY = 1000


class _Line(msgspec.Struct):
    prompt: str
    responses: dict[str, str] | None = None


_parse = msgspec.json.Decoder(_Line).decode


def command(  # noqa: PLR0913 - one argument an option
    prompts: Annotated[str | None, typer.Argument(help="A prompt to decide about (or use --input).")] = None,
    *,
    input_: Annotated[
        str | None,
        typer.Option("--input", help="JSONL with `prompt`, a text file of one prompt a line, or `-`."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write (default: standard output).")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Decide by this bundle; no configuration is read.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one JSON object a prompt, in input order: the most probable candidate, without exploration."""
    del as_json  # JSON is the only format; the option is accepted because every command of this kind has it
    if (prompts is None) == (input_ is None):
        raise RequestError("Give either a prompt or --input FILE.")
    with ExitStack() as open_files:
        lines = [_Line(prompts)] if prompts is not None else list(_lines(input_ or "-", open_files))
        target = _target(output, open_files)
        if bundle is not None:
            _by_bundle(bundle, lines, target)
        else:
            settings, _ = settings_or_found(config)
            run(_by_settings(settings, lines, target))
        target.flush()
    if output is not None:
        Path(f"{output}.part").replace(output)


def _by_bundle(folder: Path, lines: list[_Line], target: TextIO) -> None:
    need_learning()
    from edgewise.cli.route_bundle import routed  # noqa: PLC0415 - numpy is an extra

    told = routed(folder, [line.prompt for line in lines], [line.responses for line in lines])
    for number, line in enumerate(told, start=1):
        _write(line, number, len(lines), target)


async def _by_settings(settings: Settings, lines: list[_Line], target: TextIO) -> None:
    from edgewise.app import decider  # noqa: PLC0415 - loaded only when something is decided
    from edgewise.gateway.chat_body import chat_of  # noqa: PLC0415 - the same

    router = decider(settings)
    for number, line in enumerate(lines, start=1):
        decision = await router.decide(chat_of(line.prompt), explore=False)
        _write(_told(line.prompt, decision), number, len(lines), target)


def _write(line: dict[str, Any], number: int, total: int, target: TextIO) -> None:
    target.write(msgspec.json.encode(line).decode() + "\n")
    if number % PROGRESS_EVERY == 0:
        err(f"{number:,} of {total:,} prompts")


def _told(prompt: str, decision: Decision) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "candidate": decision.chosen,
        "location": decision.location,
        "odds": decision.odds,
        "forecasts": decision.forecasts,
        "objections": decision.objections,
        "policy": decision.policy,
        "reason": decision.reason,
        "micros": round(decision.micros, 1),
    }


def _lines(source: str, open_files: ExitStack) -> Iterator[_Line]:
    try:
        file = sys.stdin
        if source != "-":
            file = open_files.enter_context(Path(source).open(encoding="utf-8"))  # noqa: SIM115 - closed by the stack
        for number, line in enumerate(file, start=1):
            yield from _prompt(line.rstrip("\r\n"), f"{source}, line {number}")
    except OSError as error:
        raise RequestError(f"Cannot read {source}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{source} is not UTF-8 text.") from error


def _prompt(line: str, where: str) -> Iterator[_Line]:
    if not line.strip():
        raise RequestError(f"{where} is empty; every line holds one prompt.")
    if not line.lstrip().startswith("{"):
        yield _Line(line)
        return
    try:
        yield _parse(line)
    except msgspec.MsgspecError as error:
        raise RequestError(f"{where} is no JSON object with a `prompt`: {error}.") from error


def _target(output: Path | None, open_files: ExitStack) -> TextIO:
    if output is None:
        return sys.stdout
    try:
        return open_files.enter_context(Path(f"{output}.part").open("w", encoding="utf-8"))
    except OSError as error:
        raise RequestError(f"Cannot write {output}: {error.strerror}.") from error
