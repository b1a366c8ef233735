"""The process itself, under the names that every exporter of Prometheus' uses."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from edgewise.monitors.metrics.exposition import Family, single

if TYPE_CHECKING:
    import psutil


def process_families() -> list[Family]:
    """CPU time, memory, the start, open files (where the system tells)."""
    process = _process()
    with process.oneshot():
        times = process.cpu_times()
        found = {
            "process_cpu_seconds_total": times.user + times.system,
            "process_resident_memory_bytes": process.memory_info().rss,
            "process_start_time_seconds": process.create_time(),
        }
        with suppress(AttributeError):  # Windows knows handles only
            found["process_open_fds"] = process.num_fds()
    return [single(name, value) for name, value in found.items()]


@cache
def _process() -> psutil.Process:
    import psutil  # noqa: PLC0415 - loaded with the first look

    return psutil.Process()
