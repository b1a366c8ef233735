"""Battery and mains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.signals import Reading
from edgewise.monitors.files import entries, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAINS_STATES = {"Charging": 1.0, "Full": 1.0, "Not charging": 1.0, "Discharging": 0.0}


class Power:
    """`battery` (share left) and `mains` (1 plugged in, 0 not), from Linux's `power_supply` class.

    Several batteries count by what they hold. Those of mice and headsets do not count. A machine without
    either gives nothing; so do other systems, except for what psutil knows there.
    """

    def __init__(self, root: Path = Path("/sys/class/power_supply")) -> None:
        self._root = root

    def read(self) -> Iterator[Reading]:
        """What the supplies tell."""
        if not self._root.is_dir():
            yield from _from_psutil()
            return
        supplies = [s for s in entries(self._root) if text_of(s / "scope") != "Device"]
        batteries = [s for s in supplies if text_of(s / "type") == "Battery"]
        lines = [s for s in supplies if text_of(s / "type") in ("Mains", "USB")]
        share = _left(batteries)
        if share is not None:
            yield Reading("battery", share, "share", "power_supply")
        mains = _mains(lines, batteries)
        if mains is not None:
            yield Reading("mains", mains, "yes or no", "power_supply")


def _left(batteries: list[Path]) -> float | None:
    """The share left over all batteries, by energy, by charge, or as they say themselves."""
    for kind in ("energy", "charge"):
        now = [number_of(b / f"{kind}_now") for b in batteries]
        full = [number_of(b / f"{kind}_full") for b in batteries]
        known = [(n, f) for n, f in zip(now, full, strict=True) if n is not None and f]
        if known and len(known) == len(batteries):
            return min(1.0, max(0.0, sum(n for n, _ in known) / sum(f for _, f in known)))
    said = [percent for b in batteries if (percent := number_of(b / "capacity")) is not None]
    return min(1.0, max(0.0, sum(said) / len(said) / 100)) if said else None


def _mains(lines: list[Path], batteries: list[Path]) -> float | None:
    """Whether any line is plugged in; without a line that tells, what the batteries do about it."""
    online = [number_of(line / "online") for line in lines]
    told = [value for value in online if value is not None]
    if told:
        return 1.0 if any(told) else 0.0
    states = [MAINS_STATES[s] for b in batteries if (s := text_of(b / "status") or "") in MAINS_STATES]
    return min(states, default=None)


def _from_psutil() -> Iterator[Reading]:
    import psutil  # noqa: PLC0415 - takes 20 ms, and only the background thread needs it

    ask = getattr(psutil, "sensors_battery", None)  # not on every system
    found = ask() if ask is not None else None
    if found is None:
        return
    yield Reading("battery", found.percent / 100, "share", "psutil")
    if found.power_plugged is not None:
        yield Reading("mains", float(found.power_plugged), "yes or no", "psutil")
