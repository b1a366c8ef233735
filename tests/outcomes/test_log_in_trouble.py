"""What the log does while its disk is full, locked, silent or torn, with both values of `on_failure`."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.outcomes.sample import DECISION, OUTCOME, decision, outcome

from edgewise.domain.decisions import Decision
from edgewise.domain.errors import StoreError
from edgewise.outcomes import Gap, Gate, LogReader, SqliteLog, sqlite_log, writer
from edgewise.outcomes.faults import set_aside
from edgewise.outcomes.schema import APPLICATION_ID, connect

Work = Callable[[SqliteLog], Coroutine[Any, Any, Any]]


class Disk:
    """A disk that refuses to be written to while `trouble` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trouble: Exception | None = None
        self.tries = 0
        write, probe = writer.write, writer.probe
        monkeypatch.setattr(writer, "write", self._refusing(write))
        monkeypatch.setattr(writer, "probe", self._refusing(probe))
        monkeypatch.setattr(writer, "RETRY_S", 0.01)

    def _refusing(self, call: Callable[..., None]) -> Callable[..., None]:
        def refusing(*arguments: Any) -> None:
            self.tries += 1
            if self.trouble is not None:
                raise self.trouble
            call(*arguments)

        return refusing


FULL = sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def with_log(path: Path, work: Work, **options: Any) -> SqliteLog:
    async def main() -> SqliteLog:
        async with SqliteLog(path, **options) as log:
            await work(log)
        return log

    return asyncio.run(asyncio.wait_for(main(), 60))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the writer is a thread, and sets no event of ours
            await asyncio.sleep(0.005)


def told(path: Path) -> tuple[list[str], list[Gap]]:
    with closing(LogReader(path)) as reader:
        return [story.decision.id for story in reader.stories()], reader.gaps()


def test_a_full_disk_is_served_through_and_written_later(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "log.sqlite"
    asked = [decision() for _ in range(50)]

    async def work(log: SqliteLog) -> None:
        disk.trouble = FULL
        for one in asked:
            await log.append(one)
            await log.append(outcome(one))
        assert log.problem is not None
        assert "disk is full" in log.problem
        assert log.backlog == 100
        (warning,) = log.warnings()
        assert "100 entries wait in memory" in warning
        disk.trouble = None
        await until(lambda: log.problem is None and log.backlog == 0)
        assert log.warnings() == []

    assert with_log(path, work, on_failure="serve").lost == 0
    assert told(path) == ([one.id for one in asked], [])


def test_what_memory_cannot_hold_is_a_gap_that_is_written_down(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "log.sqlite"
    asked = [decision() for _ in range(10)]
    now = iter(range(100, 1000))

    async def work(log: SqliteLog) -> None:
        disk.trouble = FULL
        for one in asked:
            await log.append(one, outcome(one))
        assert log.backlog == 4
        assert log.lost == 12
        assert any("12 records are missing" in warning for warning in log.warnings())
        disk.trouble = None
        await until(lambda: log.problem is None and log.backlog == 0)

    with_log(path, work, on_failure="serve", most_waiting=4, clock=lambda: float(next(now)))
    ids, (gap,) = told(path)
    assert ids == [one.id for one in asked[:4]]
    assert gap.lost == 12
    assert gap.since < gap.until
    assert "4 records behind its disk" in gap.why


def test_long_texts_do_not_fill_the_memory(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "MOST_HELD_BYTES", 2_000_000)

    async def work(log: SqliteLog) -> None:
        disk.trouble = FULL
        await log.append(DECISION)
        for _ in range(10):
            await log.append(decision(prompt="x" * 500_000))
        assert log.backlog == 1 + 3
        assert log.lost == 7
        disk.trouble = None
        await until(lambda: log.problem is None)
        await log.append(OUTCOME)

    with_log(tmp_path / "log.sqlite", work, on_failure="serve")
    assert len(told(tmp_path / "log.sqlite")[0]) == 4


def test_refuse_fails_what_cannot_be_written_and_lets_nobody_in(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "log.sqlite"
    request: Any = object()

    async def work(log: SqliteLog) -> None:
        gate = Gate(log)
        assert await gate.screen(request) is request
        disk.trouble = FULL
        with pytest.raises(StoreError, match="disk is full"):
            await log.append(DECISION)
        await until(lambda: log.problem is not None)
        with pytest.raises(StoreError, match="disk is full"):
            await gate.screen(request)
        disk.trouble = None
        await until(lambda: log.problem is None)
        assert await gate.screen(request) is request
        await log.append(OUTCOME)

    assert with_log(path, work, on_failure="refuse").lost == 1
    _, (gap,) = told(path)
    assert gap.lost == 1


@contextmanager
def locked(path: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_long_lock_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    asked = [decision() for _ in range(20)]

    async def work(log: SqliteLog) -> None:
        await log.append(DECISION)
        with locked(path) as other:
            for one in asked:
                await log.append(one)  # would wait for ever, were it not for the patience
            assert log.problem is not None
            other.execute("ROLLBACK")
        await until(lambda: log.problem is None)

    assert with_log(path, work, on_failure="serve", patience_s=0.1).lost == 0
    assert told(path) == ([DECISION.id, *(one.id for one in asked)], [])


def test_a_disk_that_says_nothing_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    write = writer.write

    def silent(*arguments: Any) -> None:
        answers.wait(30)
        write(*arguments)

    monkeypatch.setattr(writer, "write", silent)

    async def work(log: SqliteLog) -> None:
        await log.append(DECISION)
        await log.append(OUTCOME)
        assert log.problem is not None
        assert "has not been written for 0.05 s" in log.problem
        answers.set()
        await until(lambda: log.problem is None and log.backlog == 0)

    with_log(tmp_path / "log.sqlite", work, on_failure="serve", patience_s=0.05)
    assert told(tmp_path / "log.sqlite") == ([DECISION.id], [])


def test_refuse_lets_nobody_wait_for_a_silent_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    write = writer.write

    def silent(*arguments: Any) -> None:
        answers.wait(30)
        write(*arguments)

    monkeypatch.setattr(writer, "write", silent)

    async def work(log: SqliteLog) -> None:
        with pytest.raises(StoreError, match="has not been written"):
            await log.append(DECISION)
        answers.set()

    assert with_log(tmp_path / "log.sqlite", work, patience_s=0.05).lost == 0
    assert told(tmp_path / "log.sqlite")[0] == [DECISION.id]  # refused, and yet on record


def test_an_idle_log_is_not_in_trouble(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        for _ in range(20):
            await asyncio.sleep(0.011)
            await log.append(decision())
            assert log.problem is None

    with_log(tmp_path / "log.sqlite", work, on_failure="serve", patience_s=0.5)


def torn(path: Path, *, header: bool = True) -> None:
    """Overwrite a closed log's pages, and its header too if that is wanted."""
    body = bytearray(path.read_bytes())
    start = 0 if header else 100
    body[start:] = bytes(len(body) - start)
    path.write_bytes(body)


@pytest.mark.parametrize("header", [True, False])
def test_a_torn_log_is_set_aside_at_the_start(tmp_path: Path, *, header: bool) -> None:
    path = tmp_path / "log.sqlite"
    with_log(path, lambda log: asyncio.wait_for(log.append(DECISION), 9))
    torn(path, header=header)
    before = path.read_bytes()

    async def work(log: SqliteLog) -> None:
        await log.append(OUTCOME, decision(id="req_" + "0" * 32))
        assert log.aside is not None
        assert log.aside.read_bytes() == before
        assert "set aside as" in log.warnings()[0]

    log = with_log(path, work, on_failure="serve")
    ids, (gap,) = told(path)
    assert ids == ["req_" + "0" * 32]
    assert gap.lost == 0
    assert str(log.aside) in gap.why


def test_a_torn_log_is_refused_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with_log(path, lambda log: asyncio.wait_for(log.append(DECISION), 9))
    torn(path)
    with pytest.raises(StoreError):
        with_log(path, lambda log: asyncio.wait_for(log.append(OUTCOME), 9), on_failure="refuse")
    assert [file.name for file in tmp_path.iterdir()] == ["log.sqlite"]


def test_what_was_never_a_log_is_not_touched(tmp_path: Path) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match="no outcome log"):
        with_log(diary, lambda log: asyncio.wait_for(log.append(DECISION), 9), on_failure="serve")
    assert diary.read_text() == "Dear diary, " * 100
    assert [file.name for file in tmp_path.iterdir()] == ["diary.txt"]


def test_a_log_torn_while_running_begins_anew_and_readers_follow(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    later = [decision() for _ in range(5)]

    async def work(log: SqliteLog) -> None:
        salt = log.salt
        await log.append(DECISION)
        with closing(LogReader(path)) as reader:
            assert reader.count() == 1
            with closing(sqlite3.connect(path)) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            with path.open("r+b") as file:
                file.seek(4096)
                file.write(b"\xff" * (path.stat().st_size - 4096))
            for one in later:
                await log.append(one)
            await until(lambda: log.problem is None and log.backlog == 0)
            assert log.aside is not None
            assert [story.decision for story in reader.stories()] == later
            assert log.salt == salt
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone() == (salt,)

    assert with_log(path, work, on_failure="serve").lost == 0


def test_two_torn_in_a_second_get_names_of_their_own(tmp_path: Path) -> None:
    names: set[str] = set()
    for _ in range(3):
        (tmp_path / "log").write_text("x")
        names.add(set_aside(tmp_path / "log").name)
    assert len(names) == 3


def test_a_log_that_is_locked_at_the_start_opens_later(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    connect(path).close()
    with closing(sqlite3.connect(path)) as reader:
        (salt,) = reader.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()

    async def work(log: SqliteLog) -> None:
        assert log.problem is not None
        assert log.salt == salt
        await log.append(DECISION)
        held.__exit__(None, None, None)
        await until(lambda: log.problem is None)

    held = locked(path)
    held.__enter__()
    with_log(path, work, on_failure="serve", patience_s=0.05)
    assert told(path) == ([DECISION.id], [])


def test_a_log_that_cannot_be_made_yet_is_made_later_with_the_salt_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    full = True

    def failing(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if full:
            raise StoreError("The disk is full.") from OSError(28, "No space left on device")
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite_log, "connect", failing)
    with pytest.raises(StoreError, match="full"):
        with_log(path, lambda log: asyncio.wait_for(log.append(DECISION), 9), on_failure="refuse")

    async def work(log: SqliteLog) -> None:
        nonlocal full
        await log.append(DECISION)
        assert not path.exists()
        full = False
        await until(lambda: log.problem is None)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone() == (log.salt,)

    with_log(path, work, on_failure="serve")
    assert told(path) == ([DECISION.id], [])


def test_a_mistake_of_the_operator_is_told_at_the_start(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "file" / "log.sqlite"):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match=r"cannot be opened|is a folder"):
            with_log(path, lambda log: asyncio.wait_for(log.append(DECISION), 9), on_failure="serve")


def test_an_end_in_trouble_comes_soon_and_says_what_is_lost(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(log: SqliteLog) -> None:
        disk.trouble = FULL
        for _ in range(5):
            await log.append(decision())
        await log.append(*(decision() for _ in range(3)))

    log = with_log(tmp_path / "log.sqlite", work, on_failure="serve")
    assert log.lost == 8
    assert "8 records are lost" in caplog.text


def test_a_bad_record_is_lost_alone_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    bad = outcome(DECISION, input_tokens=2**70)

    async def work(log: SqliteLog) -> None:
        await asyncio.gather(log.append(DECISION), log.append(bad), log.append(decision()))
        assert log.lost == 1

    with_log(path, work, on_failure="serve")
    ids, (gap,) = told(path)
    assert len(ids) == 2
    assert gap.lost == 1
    assert "too large" in gap.why


def test_only_the_newest_gaps_are_kept(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "log.sqlite")) as connection:
        for number in range(103):
            writer.write(connection, [(None, (Gap(number, number + 1, 1, "why"),))])
    gaps = told(tmp_path / "log.sqlite")[1]
    assert [gap.since for gap in gaps] == list(range(3, 103))


def test_the_mark_that_tells_a_log_stands_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with closing(connect(path)):
        assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


def test_every_id_is_there_once_after_a_commit_that_failed_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk says no, though it has written: the same records come again, and change nothing."""
    write, failures = writer.write, iter([True, True])
    monkeypatch.setattr(writer, "RETRY_S", 0.01)

    def half(*arguments: Any) -> None:
        write(*arguments)
        if next(failures, False):
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(writer, "write", half)
    asked: list[Decision] = [decision() for _ in range(10)]

    async def work(log: SqliteLog) -> None:
        await asyncio.gather(*(log.append(one) for one in asked))
        await until(lambda: log.problem is None and log.backlog == 0)

    with_log(tmp_path / "log.sqlite", work, on_failure="serve")
    assert told(tmp_path / "log.sqlite") == ([one.id for one in asked], [])
