from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME, decision, outcome

from edgewise.domain.decisions import Decision, Feedback, Outcome, Record
from edgewise.domain.errors import StoreError
from edgewise.outcomes import LogReader, MemoryLog, Observed, SqliteLog, check_log, sqlite_log, writer
from edgewise.outcomes.schema import connect
from edgewise.settings import StoreSettings

FEW_IDS = ("req_" + "0" * 31 + "1", "req_" + "0" * 31 + "2", "req_" + "0" * 31 + "3")


def with_log(path: Path, work: Callable[[SqliteLog], Coroutine[Any, Any, Any]], **options: Any) -> SqliteLog:
    async def main() -> SqliteLog:
        async with SqliteLog(path, **options) as log:
            await work(log)
        return log

    return asyncio.run(main())


@st.composite
def clashing(draw: st.DrawFn) -> list[Record]:
    """Records of a few ids, so that many come twice and belong together."""
    ids = st.sampled_from(FEW_IDS)
    some: st.SearchStrategy[Record] = st.one_of(
        st.builds(lambda d, i: replace(d, id=i), strategies.decisions(), ids),
        st.builds(lambda o, i: replace(o, decision_id=i), strategies.outcomes, ids),
        st.builds(lambda f, i: replace(f, decision_id=i), strategies.feedback, ids),
    )
    return draw(st.lists(some, max_size=12))


@settings(max_examples=30)
@given(clashing())
def test_a_sqlite_log_keeps_the_contract(records: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        reader = LogReader(path)
        with_log(path, lambda log: check_log(log, lambda: list(reversed(reader.latest(100))), records))
        reader.close()


@given(clashing())
def test_a_memory_log_keeps_the_contract(records: list[Record]) -> None:
    log = MemoryLog()
    asyncio.run(check_log(log, log.stories, records))


@settings(max_examples=30)
@given(st.lists(st.lists(strategies.records, max_size=4), max_size=10))
def test_whatever_is_acknowledged_is_readable_once_and_unchanged(calls: list[list[Record]]) -> None:
    kept: dict[tuple[type[Record], str], Record] = {}
    for record in (record for call in calls for record in call):
        kept.setdefault(
            (type(record), record.decision_id if isinstance(record, Outcome) else record.id), record
        )

    async def work(log: SqliteLog) -> None:
        await asyncio.gather(*(log.append(*call) for call in calls))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        log = with_log(path, work)
        reader = LogReader(path)
        stories = list(reader.stories())
        reader.close()
    assert log.backlog == log.lost == 0
    decisions = [record for record in kept.values() if isinstance(record, Decision)]
    assert [story.decision for story in stories] == decisions
    for story in stories:
        assert story.outcome == kept.get((Outcome, story.decision.id))
        said = [r for r in kept.values() if isinstance(r, Feedback) and r.decision_id == story.decision.id]
        assert list(story.feedback) == said


def test_a_check_that_finds_a_forgetful_log() -> None:
    class Forgetful(MemoryLog):
        def append(self, *records: Record) -> Any:
            return super().append(*(r for r in records if not isinstance(r, Outcome)))

    log = Forgetful()
    with pytest.raises(AssertionError, match="ended with"):
        asyncio.run(check_log(log, log.stories, [DECISION, OUTCOME]))


def test_many_at_once_take_few_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = 0
    write = writer.write

    def counting(*arguments: Any) -> None:
        nonlocal commits
        commits += 1
        write(*arguments)

    monkeypatch.setattr(writer, "write", counting)

    async def work(log: SqliteLog) -> None:
        waiting = [log.append(decision()) for _ in range(1000)]
        assert log.backlog == 1000
        await asyncio.gather(*waiting)
        assert log.backlog == 0

    with_log(tmp_path / "log.sqlite", work)
    assert commits < 50
    assert LogReader(tmp_path / "log.sqlite").count() == 1000


def test_closing_writes_what_nobody_waited_for(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        for _ in range(100):
            log.append(decision())

    with_log(tmp_path / "log.sqlite", work)
    assert LogReader(tmp_path / "log.sqlite").count() == 100


def test_a_cancelled_waiter_loses_nothing(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        async def write() -> None:
            await log.append(DECISION)

        task = asyncio.create_task(write())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await log.append(OUTCOME)

    with_log(tmp_path / "log.sqlite", work)
    assert LogReader(tmp_path / "log.sqlite").latest()[0].outcome == OUTCOME


def test_what_comes_before_or_after_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        log = SqliteLog(tmp_path / "log.sqlite")
        with pytest.raises(StoreError, match="is not open"):
            await log.append(DECISION)
        await log.open()
        await log.aclose()
        await log.aclose()
        with pytest.raises(StoreError, match="is not open"):
            await log.append(DECISION, OUTCOME)
        assert log.lost == 3
        await log.open()
        await log.append(DECISION)
        await log.aclose()

    asyncio.run(main())
    assert LogReader(tmp_path / "log.sqlite").count() == 1


def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        kept = [log.append(decision()) for _ in range(3)]
        with pytest.raises(StoreError, match="3 records behind its disk"):
            await log.append(decision(), decision())
        await asyncio.gather(*kept)
        await log.append(decision())
        assert log.lost == 2

    with_log(tmp_path / "log.sqlite", work, most_waiting=3)
    assert LogReader(tmp_path / "log.sqlite").count() == 4


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    async def work(log: SqliteLog) -> None:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        written = asyncio.ensure_future(log.append(DECISION))
        done, _ = await asyncio.wait([written], timeout=0.1)
        assert not done
        other.execute("COMMIT")
        other.close()
        await written

    assert with_log(path, work).lost == 0


def test_what_cannot_be_written_fails_and_the_next_does_not(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    async def work(log: SqliteLog) -> None:
        await log.append(DECISION)
        other = sqlite3.connect(path)
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON outcomes BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        other.commit()
        outcomes = [log.append(outcome(decision())) for _ in range(3)]
        for written in outcomes:
            with pytest.raises(StoreError, match=r"log\.sqlite cannot be written: disk full"):
                await written
        assert log.lost == 3
        assert log.last_error is not None
        assert "disk full" in log.last_error
        other.execute("DROP TRIGGER full")
        other.commit()
        other.close()
        await log.append(OUTCOME)

    log = with_log(path, work)
    assert (log.lost, log.backlog) == (3, 0)
    assert LogReader(path).latest()[0].outcome == OUTCOME


def test_a_disk_without_room_fails_the_commit_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(path: Path, **options: Any) -> sqlite3.Connection:
        connection = connect(path, **options)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    monkeypatch.setattr(sqlite_log, "connect", small)

    async def work(log: SqliteLog) -> None:
        await log.append(DECISION)
        with pytest.raises(StoreError, match="database or disk is full"):
            await log.append(decision(prompt="x" * 500_000))
        await log.append(OUTCOME)

    assert with_log(tmp_path / "log.sqlite", work).lost == 1
    (story,) = LogReader(tmp_path / "log.sqlite").latest()
    assert (story.decision, story.outcome) == (DECISION, OUTCOME)


def test_one_bad_record_does_not_take_the_others_along(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    halves = decision(prompt="from a terminal: \udce4")

    async def work(log: SqliteLog) -> None:
        good = log.append(DECISION)
        mended = log.append(halves)
        bad = log.append(outcome(DECISION, input_tokens=2**70))
        nothing = log.append(decision(at=None))
        late = log.append(OUTCOME)
        await good
        await mended
        with pytest.raises(StoreError, match="too large"):
            await bad
        with pytest.raises(StoreError, match="NOT NULL"):
            await nothing
        await late

    log = with_log(path, work)
    assert log.lost == 2
    reader = LogReader(path)
    assert reader.count() == 2
    story = reader.decision(halves.id)
    assert story is not None
    assert story.decision.prompt == "from a terminal: ?"


def test_a_writer_that_dies_refuses_instead_of_hanging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(writer.Writer, "run", die)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    async def main() -> SqliteLog:
        async with SqliteLog(tmp_path / "log.sqlite") as log:
            with pytest.raises(StoreError, match=r"has stopped|is not open"):
                await asyncio.wait_for(log.append(DECISION), 10)
        return log

    assert asyncio.run(main()).lost == 1


def test_two_loops_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    async def work(log: SqliteLog) -> None:
        for _ in range(50):
            await log.append(decision())

    threads = [threading.Thread(target=with_log, args=(path, work)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LogReader(path).count() == 200


def test_full_synchronous_is_passed_on(tmp_path: Path) -> None:
    for synchronous, level in (("NORMAL", 1), ("FULL", 2)):
        connection = connect(tmp_path / "log.sqlite", synchronous=synchronous)  # type: ignore[arg-type]
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
        connection.close()
    with_log(
        tmp_path / "log.sqlite", lambda log: asyncio.wait_for(log.append(DECISION), 60), synchronous="FULL"
    )
    assert LogReader(tmp_path / "log.sqlite").count() == 1


def test_the_salt_is_the_files_own(tmp_path: Path) -> None:
    async def nothing(_: SqliteLog) -> None: ...

    one, again = (with_log(tmp_path / "one.sqlite", nothing) for _ in range(2))
    other = with_log(tmp_path / "other.sqlite", nothing)
    assert len(one.salt) == 32
    assert one.salt == again.salt != other.salt


def test_old_records_go_when_the_log_opens(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    now = DECISION.at + 91 * 86_400
    fresh = decision(at=now)

    async def fill(log: SqliteLog) -> None:
        for record in (DECISION, OUTCOME, FEEDBACK, decision()):
            await log.append(record)

    async def again(log: SqliteLog) -> None:
        await log.append(fresh)  # the writer keeps house before its first commit

    with_log(path, fill)
    with_log(path, again, retention=StoreSettings(max_age_days=90), clock=lambda: now)
    reader = LogReader(path)
    assert reader.decision(fresh.id) is not None
    assert reader.decision(DECISION.id) is None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT seq FROM outcomes UNION SELECT seq FROM feedback").fetchall() == []


def test_an_observer_sees_every_record_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    inner = MemoryLog()
    seen: list[Record] = []

    async def main() -> None:
        await Observed(inner, seen.append).append(DECISION, OUTCOME)
        await Observed(inner, lambda _: 1 / 0).append(FEEDBACK)  # type: ignore[arg-type]

    asyncio.run(main())
    assert seen == [DECISION, OUTCOME]
    assert inner.records == [DECISION, OUTCOME, FEEDBACK]
    assert "observer of the outcome log failed on a Feedback" in caplog.text
