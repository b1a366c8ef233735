"""What `edgewise doctor` says of this machine's signals."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.signals import Signal, Signals
    from edgewise.settings import Settings

APART_S = 0.3  # `cpu` is the difference between two readings
USUAL = (
    "link",
    "cpu",
    "memory",
    "load",
    "pressure_cpu",
    "gpu",
    "temperature",
    "battery",
    "mains",
    "metered",
)
DRIVER = Path("/proc/driver/nvidia/version")
GIB = 2**30


class Look(NamedTuple):
    """What was found, and (unless all is well) how to mend it."""

    found: str
    mend: str = ""


def look(settings: Settings, *, driver: Path = DRIVER) -> Look:
    """Read every monitor that is on, twice, and tell what they say."""
    from edgewise.monitors import Board, watches_for  # noqa: PLC0415 - only doctor reads them here

    watches = watches_for(settings.signals)
    if not watches:
        return Look("No monitor is on.")
    board = Board(levels=settings.signals.levels)
    for pause in (APART_S, 0.0):
        for watch in watches:
            try:
                board.put(watch.monitor.read())
            except Exception as error:  # noqa: BLE001 - somebody else's monitor may raise anything
                mend = f"Mend it, or switch it off in [signals] off = [{watch.name!r}]."
                return Look(f"The monitor {watch.name} fails ({type(error).__name__}).", mend)
        time.sleep(pause)
    return _told(board.read(), gpu_unasked=driver.exists() and find_spec("pynvml") is None)


def _told(signals: Signals, *, gpu_unasked: bool) -> Look:
    known = {name: signal for name, signal in signals.items() if signal.value is not None}
    said = [_shown(signal) for signal in known.values()]
    unknown = [name for name in USUAL if name not in known]
    found = f"{', '.join(said)}.{_listed(' Unknown: ', unknown)}"
    critical = [name for name, signal in known.items() if signal.state == "critical"]
    if critical:
        mend = "Routing takes it into account; levels can be changed in [signals.levels]."
        return Look(f"{_listed('Critical: ', critical)} {found}", mend)
    if gpu_unasked:
        return Look(found, "Run pip install 'edgewise[gpu]' to see the graphics processor.")
    return Look(found)


def _listed(before: str, names: Iterable[str]) -> str:
    joined = ", ".join(names)
    return f"{before}{joined}." if joined else ""


def _shown(signal: Signal) -> str:
    value = signal.value or 0.0
    match signal.unit:
        case "share":
            text = f"{value:.0%}"
        case "bytes":
            text = f"{value / GIB:.1f} GiB"
        case "yes or no":
            text = "yes" if value else "no"
        case unit:
            text = f"{value:.3g} {unit}"
    return f"{signal.name} {text}"
