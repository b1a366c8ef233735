"""`edgewise route`: decide for many prompts, without asking anyone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import IO, TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from edgewise.cli.console import err, write_failure
from edgewise.cli.extras import need_learning
from edgewise.cli.prompt_files import STDIN, Given, given, prompts_in
from edgewise.cli.setup import ConfigOption, JsonOption, naming, run, settings_or_found
from edgewise.domain.errors import NoEligibleCandidate, RequestError
from edgewise.features.conversations import turns_in

if TYPE_CHECKING:
    from edgewise.domain.decisions import Decision
    from edgewise.settings import Settings

PROGRESS_EVERY = 1000


def command(  # noqa: PLR0913 - one argument an option
    prompt: Annotated[
        str | None, typer.Argument(help="A prompt to decide about; `-` is standard input, as with --input.")
    ] = None,
    *,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input", help="JSONL with `prompt` or `messages`, a text file of one prompt a line, or `-`."
        ),
    ] = None,
    output: Annotated[str, typer.Option(help="Where to write; `-` is standard output.")] = "-",
    bundle: Annotated[
        Path | None, typer.Option(help="Decide by this bundle; no configuration is read.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one JSON object a prompt, in input order: the most probable candidate, without exploration."""
    del as_json  # JSON is the only format; the option is accepted because every command of this kind has it
    if (prompt is None) == (input_ is None):
        raise RequestError("Give either a prompt or --input FILE.")
    from_lines = prompt is None or prompt == STDIN
    prompts = prompts_in(input_ or STDIN) if from_lines else [Given(given(prompt or ""))]
    try:
        _decide(prompts, output, bundle, config)
    except OSError as error:
        raise write_failure(output, error) from error


def _decide(prompts: list[Given], output: str, bundle: Path | None, config: Path | None) -> None:
    from edgewise.outcomes.aside import aside  # noqa: PLC0415 - loaded only when something is decided

    if bundle is not None:
        need_learning()
        with aside(output) as target:
            _by_bundle(bundle, prompts, target)
        return
    settings, _ = settings_or_found(config)
    with naming(config), aside(output) as target:
        run(_by_settings(settings, prompts, target))


def _by_bundle(folder: Path, prompts: list[Given], target: IO[bytes]) -> None:
    from edgewise.cli.route_bundle import routed  # noqa: PLC0415 - numpy is an extra

    told = routed(folder, [one.prompt for one in prompts], [one.responses for one in prompts])
    for number, line in enumerate(told, start=1):
        _write(line, number, len(prompts), target)


async def _by_settings(settings: Settings, prompts: list[Given], target: IO[bytes]) -> None:
    from edgewise.app import decider  # noqa: PLC0415 - loaded only when something is decided
    from edgewise.gateway.chat_body import chat_of  # noqa: PLC0415 - the same

    router = decider(settings)
    nobody = 0
    for number, one in enumerate(prompts, start=1):
        try:
            turns = turns_in(one.prompt)
            request = chat_of(one.prompt, {"messages": turns} if turns else None)
            decision = await router.decide(request, explore=False)
        except NoEligibleCandidate as error:  # one prompt that nobody may answer must not cost the others
            nobody += 1
            line = _refused(one.prompt, error)
        else:
            line = _told(one.prompt, decision)
        _write(line, number, len(prompts), target)
    if nobody:
        err(f"{nobody:,} of {len(prompts):,} prompts may go to nobody; their `objections` say why.")


def _write(line: dict[str, Any], number: int, total: int, target: IO[bytes]) -> None:
    target.write(msgspec.json.encode(line) + b"\n")
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


def _refused(prompt: str, error: NoEligibleCandidate) -> dict[str, Any]:
    """The same keys for a prompt that nobody may answer."""
    nothing = dict.fromkeys(("candidate", "location"))
    empty: dict[str, Any] = {"odds": {}, "forecasts": {}, "objections": error.objections}
    return {"prompt": prompt, **nothing, **empty, "policy": None, "reason": error.code, "micros": None}
