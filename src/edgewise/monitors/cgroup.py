"""What a container or a unit may use, however large the machine is: limits of Linux control groups.

Both versions are read (the unified tree, and one tree a controller). Limits nest, so that every group from
our own up to the root counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from edgewise.monitors.files import field_of, number_of, text_of

UNLIMITED = 2.0**60  # version 1 writes "no limit" as a number near 2^63


class Room(NamedTuple):
    """A limit and what is used of it, in bytes. Files that the kernel can drop at once do not count."""

    limit: float
    used: float


class Quota(NamedTuple):
    """How many cores may be used, and how many seconds of them have been."""

    cores: float
    used_s: float


class Cgroup:
    """The control group of this process, whose place `own` tells, in the trees under `root`."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> None:
        self._root = root
        self._own = own
        self._places: dict[str, list[Path]] | None = None

    def memory(self) -> Room | None:
        """The tightest limit on memory, or None where there is none."""
        rooms = [_room_v2(group) for group in self._groups("")]
        rooms += [_room_v1(group) for group in self._groups("memory")]
        limited = [room for room in rooms if room is not None]
        return min(limited, key=lambda room: room.limit - room.used, default=None)

    def cpu(self) -> Quota | None:
        """The tightest quota of CPU time, or None where there is none."""
        quotas = [_quota_v2(group) for group in self._groups("")]
        counted = self._groups("cpuacct")
        for place, group in enumerate(self._groups("cpu")):
            quotas.append(_quota_v1(group, counted[place] if place < len(counted) else group))
        limited = [quota for quota in quotas if quota is not None]
        return min(limited, key=lambda quota: quota.cores, default=None)

    def _groups(self, controller: str) -> list[Path]:
        """Our group and those above it, in the tree of a controller ("" is version 2's)."""
        if self._places is None:  # they hardly ever change, and looking for them is the dear part
            self._places = dict(self._find())
        return self._places.get(controller, [])

    def _find(self) -> list[tuple[str, list[Path]]]:
        found: list[tuple[str, list[Path]]] = []
        for line in (text_of(self._own) or "").splitlines():
            _, names, place = line.split(":", 2) if line.count(":") > 1 else ("", "-", "")
            for name in names.split(","):
                trees = (names, name) if name else ("", "unified")
                tree = next((self._root / t for t in trees if _is_tree(self._root / t, name)), None)
                if tree is not None:
                    found.append((name, _upwards(tree, place)))
        return found


def _is_tree(folder: Path, controller: str) -> bool:
    return folder.is_dir() and (bool(controller) or (folder / "cgroup.controllers").exists())


def _upwards(tree: Path, place: str) -> list[Path]:
    """The group at `place` and every one above. In a container its own group is what is mounted."""
    group = tree / place.lstrip("/")
    if ".." in place or not group.is_dir():
        return [tree]
    return [group, *(above for above in group.parents if above.is_relative_to(tree))]


def _room_v2(group: Path) -> Room | None:
    limit = number_of(group / "memory.max")
    if limit is None:  # no such file, or "max"
        return None
    return _room(limit, number_of(group / "memory.current"), text_of(group / "memory.stat"), "inactive_file")


def _room_v1(group: Path) -> Room | None:
    limit = number_of(group / "memory.limit_in_bytes")
    if limit is None or limit >= UNLIMITED:
        return None
    used = number_of(group / "memory.usage_in_bytes")
    return _room(limit, used, text_of(group / "memory.stat"), "total_inactive_file")


def _room(limit: float, used: float | None, statistics: str | None, droppable: str) -> Room | None:
    if used is None or limit <= 0:
        return None
    return Room(limit, max(0.0, used - (field_of(statistics, droppable) or 0.0)))


def _quota_v2(group: Path) -> Quota | None:
    said = (text_of(group / "cpu.max") or "max").split()
    used = field_of(text_of(group / "cpu.stat"), "usage_usec") if said[0] != "max" else None
    if used is None or len(said) != len(("quota", "period")) or not all(part.isdecimal() for part in said):
        return None
    quota, period = map(float, said)
    return Quota(quota / period, used / 1e6) if quota > 0 and period > 0 else None


def _quota_v1(group: Path, counted: Path) -> Quota | None:
    quota, period = number_of(group / "cpu.cfs_quota_us"), number_of(group / "cpu.cfs_period_us")
    if quota is None or period is None or quota <= 0 or period <= 0:  # -1 is "no quota"
        return None
    used = number_of(counted / "cpuacct.usage")
    return None if used is None else Quota(quota / period, used / 1e9)
