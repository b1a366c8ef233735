"""`edgewise keys`: keys for the gateway's clients."""

from __future__ import annotations

import json
from typing import Annotated, get_args

import typer

from edgewise.cli.console import fail, out
from edgewise.domain.errors import SettingsError
from edgewise.domain.objectives import objective_of
from edgewise.settings import Scope, ServerKey, hash_key, new_key

SCOPES: tuple[str, ...] = get_args(Scope)
app = typer.Typer(no_args_is_help=True, help="Make keys for clients.")


@app.callback()
def keys() -> None:
    """Make keys for clients."""


@app.command()
def new(
    name: Annotated[str, typer.Option(help="Whom or what the key is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do: {', '.join(SCOPES)} (may be repeated).")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="What a good choice is for its requests, such as fastest-at-quality:0.7."),
    ] = None,
) -> None:
    """Print a new key once, and the lines of edgewise.toml that let it in."""
    if not name.strip() or not name.isprintable():
        fail("--name is empty or has a line break in it; expected a name such as laptop.")
    scopes = list(dict.fromkeys(scope or ServerKey("", "").scopes))
    if wrong := next((s for s in scopes if s not in SCOPES), None):
        fail(f"--scope is {wrong[:40]!r}; expected {', '.join(SCOPES)}.")
    if objective is not None:
        _check(objective)
    key = new_key()
    out(f"The key of {name}, shown only this once:\n\n  {key}\n")
    out("Add this to edgewise.toml and start the gateway again:\n")
    out(f"[[server.keys]]\nname = {_toml(name)}\nhash = {_toml(hash_key(key))}")
    out(f"scopes = [{', '.join(map(_toml, scopes))}]")
    if objective is not None:
        out(f"objective = {_toml(objective)}")


def _check(objective: str) -> None:
    try:
        objective_of(objective)
    except SettingsError as error:
        fail(f"--objective: {error}")


def _toml(text: str) -> str:
    """A TOML string. JSON's escapes are TOML's too, as long as characters stand for themselves."""
    return json.dumps(text, ensure_ascii=False)
