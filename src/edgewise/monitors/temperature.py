"""How warm the processor is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.signals import Reading
from edgewise.monitors.files import entries, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSORS = ("cpu", "soc", "pkg", "core", "k10temp", "zenpower")
CREDIBLE_C = (1.0, 150.0)  # sensors that are not there read 0, -273 or 255


class Temperature:
    """`temperature`: the warmest sensor of the processor, in °C, from Linux's thermal zones or hwmon.

    Other sensors (a radio, a battery, the board) have limits of their own and do not count; where no
    sensor is the processor's there is no reading.
    """

    def __init__(
        self, zones: Path = Path("/sys/class/thermal"), chips: Path = Path("/sys/class/hwmon")
    ) -> None:
        self._zones = zones
        self._chips = chips

    def read(self) -> Iterator[Reading]:
        """The warmest, if one can be read."""
        for source, sensors in (("thermal", self._from_zones()), ("hwmon", self._from_chips())):
            degrees = [milli / 1000 for milli in map(number_of, sensors) if milli is not None]
            credible = [d for d in degrees if CREDIBLE_C[0] <= d <= CREDIBLE_C[1]]
            if credible:
                yield Reading("temperature", max(credible), "°C", source)
                return

    def _from_zones(self) -> Iterator[Path]:
        for zone in entries(self._zones, "thermal_zone*"):
            if _is_processor(text_of(zone / "type")):
                yield zone / "temp"

    def _from_chips(self) -> Iterator[Path]:
        for chip in entries(self._chips):
            if _is_processor(text_of(chip / "name")):
                yield from entries(chip, "temp*_input")


def _is_processor(name: str | None) -> bool:
    return name is not None and any(word in name.lower() for word in PROCESSORS)
