"""Where texts may be sent for their vectors, and with which key.

A bundle names the endpoint that it was trained with, but a name in a bundle is no permission: an endpoint
beyond this machine is asked only where the person at the keyboard or the configuration has named it, too.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError
from edgewise.features.endpoint.names import stays_on_device
from edgewise.settings.urls import url_problem

if TYPE_CHECKING:
    from edgewise.features.endpoint.names import Identity

URL_VARIABLE = "EDGEWISE_FEATURES_URL"
KEY_VARIABLE = "EDGEWISE_FEATURES_KEY"
_key_variable: ContextVar[str] = ContextVar("key_variable", default=KEY_VARIABLE)
_named: ContextVar[frozenset[str]] = ContextVar("named", default=frozenset())


@dataclass(frozen=True, slots=True)
class Access:
    """An endpoint that may be asked. `key` is never shown."""

    url: str
    key: str | None

    def __repr__(self) -> str:
        return f"Access({self.url!r}, key {'set' if self.key else 'not set'})"


def use_key_in(variable: str) -> None:
    """From now on take the key from this environment variable. Raises `SettingsError` where it is not set."""
    if variable not in os.environ:
        raise SettingsError(f"The environment variable {variable[:64]} is not set; it should hold the key.")
    _key_variable.set(variable)


def naming(url: str) -> Access:
    """Access to an endpoint that somebody has just named, which permits it in this process from now on."""
    _named.set(_named.get() | {url})
    return Access(url, os.environ.get(_key_variable.get()))


def access_to(identity: Identity, *, url: str | None = None, key_variable: str | None = None) -> Access:
    """Access to the endpoint of a bundle.

    `url` and `key_variable` are what a configuration says; without them the environment counts, then what
    the bundle names. Raises `SettingsError` where nobody but the bundle has named an endpoint that is not on
    this machine.
    """
    said = (url or os.environ.get(URL_VARIABLE) or "").rstrip("/")
    if said and (problem := url_problem(said)):
        raise SettingsError(f"{URL_VARIABLE if not url else 'features.url'} {problem[0]}; {problem[1]}.")
    key = os.environ.get(key_variable or _key_variable.get())
    if said:
        return Access(said, key)
    if stays_on_device(identity.url) or identity.url in _named.get():
        return Access(identity.url, key)
    raise SettingsError(
        f"The bundle's features come from {identity.url}, which nobody here has allowed to see prompts; "
        f"name it as url in [features] of edgewise.toml, or in {URL_VARIABLE}."
    )
