"""The monitors that a configuration asks for, and the board that they write to."""

from __future__ import annotations

from os import environ
from typing import TYPE_CHECKING

from edgewise.monitors.board import Board
from edgewise.monitors.gpu import Gpu
from edgewise.monitors.link import Link
from edgewise.monitors.machine import Machine
from edgewise.monitors.metered import Metered
from edgewise.monitors.power import Power
from edgewise.monitors.pressure import Pressure
from edgewise.monitors.temperature import Temperature
from edgewise.monitors.watch import Watch
from edgewise.settings.plugins import made
from edgewise.settings.signals import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.protocols import Monitor
    from edgewise.settings.schema import SignalsSettings

CUSTOM_INTERVAL_S = 5.0
MAY_HANG = frozenset({"gpu"})  # a driver in trouble does not answer


def is_off(settings: SignalsSettings) -> bool:
    """Whether nothing at all is to be read of the world."""
    return not settings.enabled or environ.get("EDGEWISE_SIGNALS") == "off"


def watches_for(settings: SignalsSettings) -> tuple[Watch, ...]:
    """Every monitor that is on, in the order in which they are read.

    None is where the variable EDGEWISE_SIGNALS is "off". Raises SettingsError for a custom one that cannot
    be made.
    """
    if is_off(settings):
        return ()
    ours: dict[str, Monitor] = {
        "link": Link(),
        "machine": Machine(),
        "pressure": Pressure(),
        "gpu": Gpu(),
        "temperature": Temperature(),
        "power": Power(),
        "metered": Metered(settings.metered),
    }
    found = [
        Watch(name, monitor, settings.intervals.get(name, INTERVALS[name]), alone=name in MAY_HANG)
        for name, monitor in ours.items()
        if name not in settings.off
    ]
    for index, custom in enumerate(settings.custom):
        if custom.name not in settings.off:
            section = f"signals.custom[{index}].name"
            monitor = made("edgewise.monitors", custom.name, custom.options, section=section)
            interval_s = settings.intervals.get(custom.name, CUSTOM_INTERVAL_S)
            found.append(Watch(custom.name, monitor, interval_s, alone=True))
    return tuple(found)


def board_for(settings: SignalsSettings, more: Iterable[Monitor | Watch] = ()) -> Board:
    """A board, not yet open, with the configured monitors and levels, and with `more` that the caller brings.

    A bare monitor goes by the name of its class and is read every `CUSTOM_INTERVAL_S`.
    """
    return Board((*watches_for(settings), *map(_watch, more)), levels=settings.levels)


def _watch(monitor: Monitor | Watch) -> Watch:
    if isinstance(monitor, Watch):
        return monitor
    return Watch(type(monitor).__name__, monitor, CUSTOM_INTERVAL_S, alone=True)
