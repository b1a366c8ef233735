"""`edgewise keys`: keys for the gateway's clients."""

from __future__ import annotations

import json
from typing import Annotated, get_args

import msgspec
import typer

from edgewise.cli.console import fail, out
from edgewise.domain.errors import SettingsError
from edgewise.domain.objectives import objective_of
from edgewise.domain.requests import Priority
from edgewise.settings import POLICY_KINDS, Scope, ServerKey, ServerSettings, Settings, hash_key, new_key
from edgewise.settings.checks import complaints
from edgewise.settings.complaints import leaf

SCOPES: tuple[str, ...] = get_args(Scope)
PRIORITIES: tuple[str, ...] = get_args(Priority)
app = typer.Typer(no_args_is_help=True, help="Make keys for clients.")


@app.callback()
def keys() -> None:
    """Make keys for clients."""


@app.command()
def new(  # noqa: PLR0913 - one option a setting of [[server.keys]]
    *,
    name: Annotated[str, typer.Option(help="Whom or what the key is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do: {', '.join(SCOPES)} (may be repeated).")
    ] = None,
    privacy: Annotated[
        str | None, typer.Option(help="What holds for all its requests: local, or a region as region:eu.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="What a good choice is for its requests, such as fastest-at-quality:0.7."),
    ] = None,
    priority: Annotated[
        str | None,
        typer.Option(help=f"Who goes first where there is too much to do: {', '.join(PRIORITIES)}."),
    ] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="How many requests it may make.")] = None,
    tokens_per_minute: Annotated[
        int | None, typer.Option(help="How many tokens its requests and their answers may have.")
    ] = None,
    usd_per_day: Annotated[float | None, typer.Option(help="What its requests may cost in a day.")] = None,
) -> None:
    """Print a new key once, and the lines of edgewise.toml that let it in."""
    if not name.strip() or not name.isprintable():
        fail("--name is empty or has a line break in it; expected a name such as laptop.")
    scopes = list(dict.fromkeys(scope or ServerKey("", "").scopes))
    _one_of("scope", scopes, SCOPES)
    _one_of("priority", [priority or "normal"], PRIORITIES)
    if objective is not None:
        _check(objective)
    key = new_key()
    said = {
        "name": name,
        "hash": hash_key(key),
        "scopes": scopes,
        "privacy": privacy,
        "objective": objective,
        "priority": priority,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "usd_per_day": usd_per_day,
    }
    asked = {setting: value for setting, value in said.items() if value is not None}
    _fits(msgspec.convert(asked, ServerKey))
    out(f"The key of {name}, shown only this once:\n\n  {key}\n")
    out("Add this to edgewise.toml and start the gateway again:\n")
    out("[[server.keys]]")
    for setting, value in asked.items():
        out(f"{setting} = {_toml(value)}")


def _one_of(option: str, given: list[str], known: tuple[str, ...]) -> None:
    if wrong := next((value for value in given if value not in known), None):
        fail(f"--{option} is {wrong[:40]!r}; expected {', '.join(known)}.")


def _fits(key: ServerKey) -> None:
    """Refuse what the gateway would refuse at its start, before there is a key."""
    settings = Settings(server=ServerSettings(keys=(key,)))
    if wrong := next(complaints(settings, POLICY_KINDS), None):
        fail(f"--{leaf(wrong.key).replace('_', '-')} {wrong.wrong}; {wrong.right}.")


def _check(objective: str) -> None:
    try:
        objective_of(objective)
    except SettingsError as error:
        fail(f"--objective: {error}")


def _toml(value: object) -> str:
    """A TOML value. JSON's are TOML's too, as long as characters stand for themselves."""
    return json.dumps(value, ensure_ascii=False)
