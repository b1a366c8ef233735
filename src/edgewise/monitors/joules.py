"""Counters of joules: a process of ours, by its CPU time, and the graphics processors, by their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

from edgewise.monitors.gpu import Gpu

if TYPE_CHECKING:
    from collections.abc import Callable


class CpuJoules:
    """CPU seconds of the process `pid`, times `watts` a core; None while there is no such process."""

    def __init__(self, pid: Callable[[], int | None], watts: float) -> None:
        self._pid, self._watts = pid, watts
        self._process: psutil.Process | None = None

    def __call__(self) -> float | None:
        """Joules since the process began; some 20 µs."""
        pid = self._pid()
        if pid is None:
            return None
        try:
            if self._process is None or self._process.pid != pid:
                self._process = psutil.Process(pid)
            times = self._process.cpu_times()
        except psutil.Error:
            self._process = None
            return None
        return (times.user + times.system) * self._watts


class GpuJoules:
    """What all of NVIDIA's processors have used, idle or not, whoever used them; None where none counts."""

    def __init__(self, library: Any = None) -> None:
        self._gpu = Gpu(library)

    def __call__(self) -> float | None:
        """Joules since the driver was loaded."""
        return self._gpu.joules()
