"""CPU, memory and load of this machine, or of the part of it that we may use."""

from __future__ import annotations

import time
from os import cpu_count
from typing import TYPE_CHECKING, Any

from edgewise.domain.signals import Reading
from edgewise.monitors.cgroup import Cgroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDLE = ("idle", "iowait")
COUNTED_TWICE = ("guest", "guest_nice")  # Linux has them in user and nice already


class Machine:
    """`cpu` and `memory` (shares), `memory_free` (bytes) and `load` (the load average per core).

    Where a control group sets limits, the shares are of these if that is tighter: a container that has
    used up its quota is busy, however idle the machine. The first reading has no `cpu`, which is the
    difference between two. `source` is psutil or has its functions; `elapsed` counts seconds.
    """

    def __init__(
        self,
        cgroup: Cgroup | None = None,
        *,
        source: Any = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cgroup = Cgroup() if cgroup is None else cgroup
        self._source = source
        self._elapsed = elapsed
        self._times: tuple[float, float] | None = None
        self._spent: tuple[float, float] | None = None

    def read(self) -> Iterator[Reading]:
        """What can be read here."""
        if self._source is None:
            import psutil  # noqa: PLC0415 - takes 20 ms, and only the background thread needs it

            self._source = psutil
        yield from self._cpu()
        yield from self._memory()
        yield Reading("load", self._source.getloadavg()[0] / (cpu_count() or 1), "per core", "psutil")

    def _cpu(self) -> Iterator[Reading]:
        shares = (("psutil", self._machine_share()), ("cgroup", self._quota_share()))
        known = [(share, source) for source, share in shares if share is not None]
        if known:
            share, source = max(known)
            yield Reading("cpu", share, "share", source)

    def _machine_share(self) -> float | None:
        """Busy time in all time since the last reading."""
        times: dict[str, float] = self._source.cpu_times()._asdict()
        total = sum(times.values()) - sum(times.get(name, 0.0) for name in COUNTED_TWICE)
        idle = sum(times.get(name, 0.0) for name in IDLE)
        before, self._times = self._times, (total, idle)
        if before is None or total <= before[0]:
            return None
        return min(1.0, max(0.0, 1.0 - (idle - before[1]) / (total - before[0])))

    def _quota_share(self) -> float | None:
        """Time used in the time that the quota grants since the last reading."""
        quota, now = self._cgroup.cpu(), self._elapsed()
        before, self._spent = self._spent, None if quota is None else (quota.used_s, now)
        if quota is None or before is None or now <= before[1]:
            return None
        return min(1.0, max(0.0, (quota.used_s - before[0]) / (now - before[1]) / quota.cores))

    def _memory(self) -> Iterator[Reading]:
        machine = self._source.virtual_memory()
        share, free, source = 1.0 - machine.available / machine.total, float(machine.available), "psutil"
        room = self._cgroup.memory()
        if room is not None and room.limit - room.used < free:
            share, free, source = room.used / room.limit, room.limit - room.used, "cgroup"
        yield Reading("memory", min(1.0, max(0.0, share)), "share", source)
        yield Reading("memory_free", max(0.0, free), "bytes", source)
