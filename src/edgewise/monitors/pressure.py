"""How much time is lost waiting: Linux pressure stall information."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.signals import Reading
from edgewise.monitors.files import as_number, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = ("cpu", "memory", "io")


class Pressure:
    """`pressure_cpu`, `pressure_memory` and `pressure_io`: the share of the last 10 s in which a task waited.

    The kernel's own average (`some avg10`), so that it needs no smoothing. Nothing where the kernel
    keeps no such record.
    """

    def __init__(self, root: Path = Path("/proc/pressure")) -> None:
        self._files = {resource: root / resource for resource in RESOURCES}

    def read(self) -> Iterator[Reading]:
        """One reading for each resource that is recorded."""
        for resource, file in self._files.items():
            share = _some(text_of(file))
            if share is not None:
                yield Reading(f"pressure_{resource}", share, "share", "psi")


def _some(text: str | None) -> float | None:
    """The share in `some avg10=12.34 …`, or None."""
    for line in (text or "").splitlines():
        words = line.split()
        if words[:1] == ["some"]:
            found = dict(word.split("=", 1) for word in words[1:] if "=" in word)
            percent = as_number(found.get("avg10"))
            return None if percent is None else min(1.0, percent / 100)
    return None
