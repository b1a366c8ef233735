"""CPU time and memory of a process and its children, read from /proc."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

PROC = Path("/proc")
# Linux only; elsewhere there is nothing to pin to and nothing is measured (see machine.py).
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def family(pid: int, proc: Path = PROC) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it may end while we look
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:  # grows while it is walked
        found.extend(children.get(member, []))
    return found


def cpu_ns(pid: int, proc: Path = PROC) -> int:
    """Nanoseconds on a CPU so far, over every thread of the family.

    A thread that ends takes its time with it, so this suits servers whose threads stay.
    """
    total = 0
    for member in family(pid, proc):
        for schedstat in (proc / str(member) / "task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(schedstat.read_text().split()[0])
    return total


def rss_mb(pid: int, proc: Path = PROC) -> float:
    """Resident memory of the family in MB (10^6 bytes); pages that they share are counted in each."""
    pages = 0
    for member in family(pid, proc):
        with suppress(OSError):
            pages += int((proc / str(member) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def pinned(core: int) -> Generator[None]:
    """Whatever is started inside runs on this core only, from its first instruction on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
