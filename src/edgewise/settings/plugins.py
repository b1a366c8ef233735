"""Somebody else's parts, found by the entry points of installed packages.

A package offers `edgewise.policies`, `edgewise.constraints` or `edgewise.monitors`; nothing is loaded that
the configuration does not name.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Literal

from edgewise.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

Group = Literal["edgewise.policies", "edgewise.constraints", "edgewise.monitors"]


def offered(group: Group) -> tuple[str, ...]:
    """The names that installed packages offer in `group`, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def made(group: Group, name: str, options: Mapping[str, Any], *, section: str) -> Any:
    """What the entry point `name` makes of `options`, given as keywords.

    `section` is where the settings stand. Raises SettingsError, in one sentence, where there is no such
    entry point, where it cannot be imported, or where it refuses the options.
    """
    found = list(entry_points(group=group, name=name))
    if not found:
        known = ", ".join(offered(group)) or "none"
        raise SettingsError(
            f"{section} is '{name}', and no installed package offers that as {group}; offered: {known}."
        )
    try:
        make = found[0].load()
    except Exception as error:  # it is somebody else's module
        raise SettingsError(f"{section} is '{name}', which cannot be imported: {error}.") from error
    try:
        return make(**options)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{section} is '{name}', which does not take these options: {error}.") from error
