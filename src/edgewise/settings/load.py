"""edgewise.toml → `Settings`, or one sentence that says what is wrong in it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from edgewise.domain.errors import SettingsError
from edgewise.settings.checks import POLICY_KINDS, check
from edgewise.settings.complaints import misfit
from edgewise.settings.environment import read_env
from edgewise.settings.schema import DEPLOYED, PolicySettings, Settings
from edgewise.settings.secrecy import looks_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

DEFAULT_FILE = "edgewise.toml"


def load(
    path: Path | None = None,
    environ: MutableMapping[str, str] | None = None,
    *,
    kinds: Sequence[str] = POLICY_KINDS,
) -> Settings:
    """The checked settings of `path`, else of ./edgewise.toml, else the defaults (without candidates).

    A `.env` beside the file (without one: in the current folder) is read into `environ`, by default the
    process's own; what is set there already wins. A bundle's path is taken from the file's folder.
    `kinds` are the known policies. Raises `SettingsError` with the first problem, in one sentence.
    """
    file = path if path is not None else Path(DEFAULT_FILE)
    tree = _read(file, required=path is not None)
    read_env(file.parent / ".env", os.environ if environ is None else environ)
    settings = from_tree(tree, source=str(file), kinds=kinds)
    policies = {name: _placed(policy, file.parent) for name, policy in settings.policies.items()}
    return replace(settings, policy=_placed(settings.policy, file.parent), policies=policies)


def from_tree(tree: Mapping[str, Any], *, source: str, kinds: Sequence[str] = POLICY_KINDS) -> Settings:
    """Checked settings from what a TOML reader gives. Raises `SettingsError`, which names `source`."""
    if complaint := misfit(tree, inspect.type_info(Settings)):
        raise SettingsError(complaint.sentence(source))
    settings = msgspec.convert(tree, Settings)
    check(settings, source=source, kinds=kinds)
    return settings


def _read(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        if not required:
            return {}
        raise SettingsError(f"{file}: there is no such file; expected an edgewise.toml.") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}); expected a TOML file.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8; expected TOML in UTF-8.") from None
    except RecursionError:
        raise SettingsError(
            f"{file}: is nested too deeply; expected tables and lists as documented."
        ) from None
    except ValueError as error:  # TOMLDecodeError, and numbers that Python refuses to read
        raise SettingsError(f"{file}: is not TOML: {_place(error)}.") from None


def _place(error: ValueError) -> str:
    """What the TOML reader said, on one line. It names places and characters, and at times a key."""
    said = " ".join(str(error).split()).rstrip(".")
    return "it has a mistake that is not repeated here" if looks_secret(said) else said


def _placed(policy: PolicySettings, folder: Path) -> PolicySettings:
    if policy.bundle is None or policy.bundle == DEPLOYED:
        return policy
    return replace(policy, bundle=str(folder.absolute() / policy.bundle))
