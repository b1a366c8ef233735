from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from benchmarks.cpu import CORES, cpu_ns, family, pinned, rss_mb

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with process 10, its child 11 of two threads, its grandchild 12, and a stranger, 20."""
    for pid, parent, threads in ((10, 1, [10]), (11, 10, [11, 111]), (12, 11, [12]), (20, 1, [20])):
        folder = tmp_path / str(pid)
        folder.mkdir()
        # A name with spaces and a parenthesis, as /proc really shows it.
        (folder / "stat").write_text(f"{pid} (nginx: (worker) x) S {parent} 0 0\n")
        (folder / "statm").write_text("900 100 50 1 0 30 0\n")
        for thread in threads:
            (folder / "task" / str(thread)).mkdir(parents=True)
            (folder / "task" / str(thread) / "schedstat").write_text(f"{thread}000 7 9\n")
    (tmp_path / "meminfo").write_text("")
    return tmp_path


def test_a_family_is_the_process_and_its_descendants(proc: Path) -> None:
    assert sorted(family(10, proc)) == [10, 11, 12]


def test_cpu_is_summed_over_threads_and_descendants(proc: Path) -> None:
    assert cpu_ns(10, proc) == 10_000 + 11_000 + 111_000 + 12_000


def test_memory_is_summed_over_descendants(proc: Path) -> None:
    assert rss_mb(10, proc) == pytest.approx(3 * 100 * os.sysconf("SC_PAGE_SIZE") / 1e6)


@pytest.mark.skipif(not CORES, reason="needs Linux")
def test_cpu_grows_with_work_done_in_a_child() -> None:
    work = "sum(range(10**6)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spent = cpu_ns(child.pid)
        assert spent > 1_000_000
        assert cpu_ns(os.getpid()) >= spent
        child.communicate(b"\n")


@pytest.mark.skipif(not CORES, reason="needs Linux")
def test_a_child_started_inside_is_pinned_and_the_parent_is_not() -> None:
    before = os.sched_getaffinity(0)
    ask = "import os; print(sorted(os.sched_getaffinity(0)))"
    with pinned(CORES[-1]):
        told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str([CORES[-1]])
    assert os.sched_getaffinity(0) == before
