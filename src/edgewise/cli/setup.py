"""What several commands begin with: find the configuration, or what this machine has to offer."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from edgewise.domain.errors import BundleError, EdgewiseError, SettingsError
from edgewise.settings import check, discover, load

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from edgewise.settings import Settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration file (default: ./edgewise.toml).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
T = TypeVar("T")
FILE = "edgewise.toml"


def settings_or_found(config: Path | None) -> tuple[Settings, tuple[str, ...]]:
    """The configuration; where it names no candidate, with those that were found, and what was found."""
    settings = load(config)
    if settings.candidates:
        return settings, ()
    found = run(discover(settings))
    return found.settings, found.notes


@contextmanager
def naming(config: Path | None) -> Generator[None]:
    """Let a bundle that cannot be used be a mistake in the file that asks for it."""
    try:
        yield
    except BundleError as error:
        raise SettingsError(f"{config or FILE}: {error}") from error


def uses_bundle(settings: Settings) -> bool:
    """Whether a policy of these settings was trained, or what it reads answers by."""
    return any(policy.bundle is not None for policy in (settings.policy, *settings.policies.values()))


def policy_problem(settings: Settings, config: Path | None) -> str | None:
    """Why `edgewise serve` could not decide by the trained policies of these settings, or None."""
    if not uses_bundle(settings):
        return None
    from edgewise.app import decider  # noqa: PLC0415 - loaded only when something is decided

    try:
        with naming(config):
            decider(settings)
    except EdgewiseError as error:
        return str(error)
    return None


def with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """The settings with another address to listen on."""
    server = settings.server
    moved = msgspec.structs.replace(
        server, host=host or server.host, port=server.port if port is None else port
    )
    moved_settings = msgspec.structs.replace(settings, server=moved)
    check(moved_settings, source="--host")
    return moved_settings


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415 - not on every platform

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
