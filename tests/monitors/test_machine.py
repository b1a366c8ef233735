from __future__ import annotations

from collections import namedtuple
from os import cpu_count
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.monitors.trees import tree

from edgewise.monitors import check_monitor
from edgewise.monitors.cgroup import Cgroup, Quota, Room
from edgewise.monitors.machine import Machine

GIB = 2**30
Times = namedtuple("Times", "user system idle iowait guest")  # noqa: PYI024 - what psutil gives is one
Memory = namedtuple("Memory", "total available")  # noqa: PYI024 - the same


class Psutil:
    """A machine of 16 GiB that has run for a while."""

    def __init__(self) -> None:
        self.times = Times(10.0, 10.0, 100.0, 5.0, 4.0)
        self.memory = Memory(16 * GIB, 12 * GIB)

    def cpu_times(self) -> Times:
        return self.times

    def virtual_memory(self) -> Memory:
        return self.memory

    def getloadavg(self) -> tuple[float, float, float]:
        return (3.0, 2.0, 1.0)


def values(machine: Machine) -> dict[str, float | None]:
    return {reading.name: reading.value for reading in check_monitor(machine, rounds=1)}


def no_cgroup(tmp_path: Path) -> Cgroup:
    return Cgroup(tmp_path / "none", tmp_path / "none")


def test_this_machine() -> None:
    found = {reading.name: reading for reading in check_monitor(Machine())}
    assert {"memory", "memory_free", "load"} <= set(found)
    assert 0 < (found["memory_free"].value or 0) <= psutil.virtual_memory().total


def test_shares_of_the_machine(tmp_path: Path) -> None:
    source = Psutil()
    machine = Machine(no_cgroup(tmp_path), source=source)
    cores = cpu_count() or 1
    assert values(machine) == {"memory": 0.25, "memory_free": 12 * GIB, "load": 3.0 / cores}
    # 8 s more in user, of which 4 for a guest, and 2 s idle, of which one waiting for a disk
    source.times = Times(18.0, 10.0, 101.0, 6.0, 8.0)
    assert values(machine)["cpu"] == pytest.approx(0.8)
    assert "cpu" not in values(machine)  # no time has passed, and nothing can be said


def v2(tmp_path: Path, group: dict[str, str], above: dict[str, str] | None = None) -> Cgroup:
    files = {"fs/cgroup.controllers": "cpu memory", "own": "0::/a.slice/b.scope\n"}
    files |= {f"fs/a.slice/{name}": text for name, text in (above or {}).items()}
    files |= {f"fs/a.slice/b.scope/{name}": text for name, text in group.items()}
    tree(tmp_path, files)
    return Cgroup(tmp_path / "fs", tmp_path / "own")


def memory_v2(limit: str, used: int, droppable: int = 0) -> dict[str, str]:
    statistics = f"anon 5\ninactive_file {droppable}\nactive_file 3\n"
    return {"memory.max": f"{limit}\n", "memory.current": f"{used}\n", "memory.stat": statistics}


def test_a_limit_on_memory_counts_where_it_is_tighter(tmp_path: Path) -> None:
    cgroup = v2(tmp_path, memory_v2(str(2 * GIB), GIB + GIB // 2, GIB // 2))
    assert cgroup.memory() == Room(2 * GIB, GIB)
    found = values(Machine(cgroup, source=Psutil()))
    assert (found["memory"], found["memory_free"]) == (0.5, GIB)


def test_a_limit_above_what_the_machine_has_left_does_not_count(tmp_path: Path) -> None:
    source = Psutil()
    source.memory = Memory(16 * GIB, GIB)
    found = values(Machine(v2(tmp_path, memory_v2(str(8 * GIB), GIB)), source=source))
    assert (found["memory"], found["memory_free"]) == (1 - 1 / 16, GIB)


def test_the_tightest_limit_of_all_groups_above_holds(tmp_path: Path) -> None:
    group, above = memory_v2("max", GIB), memory_v2(str(4 * GIB), 3 * GIB)
    assert v2(tmp_path, group, above).memory() == Room(4 * GIB, 3 * GIB)
    assert v2(tmp_path / "x", memory_v2(str(3 * GIB), GIB), above).memory() == Room(4 * GIB, 3 * GIB)


def test_a_quota_of_cpu_time(tmp_path: Path) -> None:
    now = [0.0]
    cgroup = v2(tmp_path, {"cpu.max": "50000 100000\n", "cpu.stat": "usage_usec 1000000\nuser_usec 1\n"})
    assert cgroup.cpu() == Quota(0.5, 1.0)
    machine = Machine(cgroup, source=Psutil(), elapsed=lambda: now[0])
    values(machine)
    now[0] = 2.0
    tree(tmp_path / "fs/a.slice/b.scope", {"cpu.stat": "usage_usec 1900000\n"})
    assert values(machine)["cpu"] == pytest.approx(0.9)  # 0.9 s of the 1 s that two seconds grant


@pytest.mark.parametrize("line", ["max 100000", "", "half", "50000", "0 100000", "50000 0"])
def test_no_quota(tmp_path: Path, line: str) -> None:
    assert v2(tmp_path, {"cpu.max": line, "cpu.stat": "usage_usec 1"}).cpu() is None


def v1(tmp_path: Path, limit: str, quota: str) -> Cgroup:
    files = {
        "own": "4:memory:/box\n3:cpu,cpuacct:/box\n1:name=systemd:/\n0::/\n",
        "fs/memory/box/memory.limit_in_bytes": limit,
        "fs/memory/box/memory.usage_in_bytes": str(GIB),
        "fs/memory/box/memory.stat": f"inactive_file 1\ntotal_inactive_file {GIB // 4}\n",
        "fs/cpu,cpuacct/box/cpu.cfs_quota_us": quota,
        "fs/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
        "fs/cpu,cpuacct/box/cpuacct.usage": "3000000000",
    }
    tree(tmp_path, files)
    return Cgroup(tmp_path / "fs", tmp_path / "own")


def test_version_1(tmp_path: Path) -> None:
    cgroup = v1(tmp_path, str(2 * GIB), "150000")
    assert cgroup.memory() == Room(2 * GIB, GIB - GIB // 4)
    assert cgroup.cpu() == Quota(1.5, 3.0)


def test_version_1_without_limits(tmp_path: Path) -> None:
    cgroup = v1(tmp_path, "9223372036854771712", "-1")
    assert (cgroup.memory(), cgroup.cpu()) == (None, None)


def test_in_a_container_the_group_is_what_is_mounted(tmp_path: Path) -> None:
    files = {"fs/cgroup.controllers": "memory", "own": "0::/docker/4711\n"}
    tree(tmp_path, files | {f"fs/{name}": text for name, text in memory_v2("4096", 1024).items()})
    assert Cgroup(tmp_path / "fs", tmp_path / "own").memory() == Room(4096, 1024)


@pytest.mark.parametrize("own", ["", "nonsense", "0::", "0::/../../etc", "1:::\n::::"])
def test_a_place_that_makes_no_sense_is_no_limit(tmp_path: Path, own: str) -> None:
    tree(tmp_path, {"own": own, "fs/x/y": ""})
    cgroup = Cgroup(tmp_path / "fs", tmp_path / "own")
    assert (cgroup.memory(), cgroup.cpu()) == (None, None)


def test_nobody_has_psutil_loaded_before_the_first_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    machine: Any = Machine()
    assert machine._source is None
    check_monitor(machine, rounds=1)
    assert machine._source is psutil
