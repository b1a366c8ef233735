from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.outcomes.sample import AT, decision, outcome

from edgewise.domain.decisions import Feedback
from edgewise.outcomes.retention import (
    DAY_S,
    ROWS,
    STEP_S,
    Pace,
    Retention,
    is_worth_shrinking,
    shrink,
    tidy,
    used_bytes,
)
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

NOW = AT + 100 * DAY_S


@pytest.fixture
def log(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "log.sqlite")
    yield connection
    connection.close()


def fill(log: sqlite3.Connection, days: range, prompt: str = "hello") -> None:
    """One decision a day, with its outcome and feedback, the first `AT`."""
    for day in days:
        asked = decision(at=AT + day * DAY_S, prompt=prompt)
        said = Feedback(id=f"fb_{day}", decision_id=asked.id, at=asked.at + 60, comment=prompt)
        write(log, [(None, (asked, outcome(asked), said))])


def counts(log: sqlite3.Connection) -> list[int]:
    counted = log.execute(
        "SELECT (SELECT count(*) FROM decisions), (SELECT count(*) FROM outcomes), "
        "(SELECT count(*) FROM feedback)"
    )
    return list(counted.fetchone())


def test_what_is_too_old_goes_with_all_that_belongs_to_it(log: sqlite3.Connection) -> None:
    fill(log, range(100))
    assert Retention(max_age_days=30).step(log, NOW) == 70
    assert counts(log) == [30, 30, 30]
    assert log.execute("SELECT min(at) FROM decisions").fetchone() == (AT + 70 * DAY_S,)
    assert Retention(max_age_days=30).step(log, NOW) == 0


def test_a_step_is_bounded(log: sqlite3.Connection) -> None:
    fill(log, range(50))
    rules = Retention(max_age_days=1)
    assert [rules.step(log, NOW, rows=20) for _ in range(4)] == [20, 20, 9, 0]


def test_the_oldest_go_until_the_rest_fits(log: sqlite3.Connection) -> None:
    fill(log, range(100), prompt="x" * 20_000)
    assert used_bytes(log) > 4_000_000
    rules = Retention(max_size_mb=2)
    while rules.step(log, NOW, rows=10):
        pass
    assert 1_500_000 < used_bytes(log) <= 2_000_000
    kept = [at for (at,) in log.execute("SELECT at FROM decisions ORDER BY at")]
    assert kept == [AT + day * DAY_S for day in range(100 - len(kept), 100)]


def test_no_limits_forget_nothing(log: sqlite3.Connection) -> None:
    fill(log, range(5))
    assert Retention().step(log, NOW * 10) == 0
    assert counts(log) == [5, 5, 5]


def test_the_newest_stays_so_that_no_place_is_given_twice(log: sqlite3.Connection) -> None:
    fill(log, range(5))
    (last,) = log.execute("SELECT max(seq) FROM decisions").fetchone()
    tidy(log, Retention(max_age_days=1, max_size_mb=0.000_001), NOW)
    assert counts(log)[0] == 1
    write(log, [(None, (decision(),))])
    assert log.execute("SELECT max(seq) FROM decisions").fetchone() == (last + 1,)


def test_strays_go_too(log: sqlite3.Connection) -> None:
    stray = decision(at=AT)
    said = Feedback(id="fb", decision_id=stray.id, at=AT)
    write(log, [(None, (outcome(stray), said))])
    fill(log, range(100, 101))
    assert counts(log) == [1, 2, 2]
    assert Retention(max_age_days=30).step(log, NOW) == 2
    assert counts(log) == [1, 1, 1]


def test_a_failed_step_changes_nothing(log: sqlite3.Connection) -> None:
    fill(log, range(10))
    log.execute("CREATE TRIGGER no BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        Retention(max_age_days=1).step(log, NOW)
    assert counts(log) == [10, 10, 10]
    write(log, [(None, (decision(),))])


def test_the_room_is_given_back_and_the_text_is_gone(log: sqlite3.Connection, tmp_path: Path) -> None:
    fill(log, range(60), prompt="secret " * 3000)
    log.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    path = tmp_path / "log.sqlite"
    full = path.stat().st_size
    rests: list[None] = []
    assert tidy(log, Retention(max_age_days=99), NOW, rest=lambda: rests.append(None)) == 1
    assert not is_worth_shrinking(log)
    gone = tidy(log, Retention(max_age_days=1), NOW, rest=lambda: rests.append(None))
    log.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert gone == 58
    assert path.stat().st_size < full / 10
    assert path.read_bytes().count(b"secret ") < 3 * 3000 + 100  # the newest decision, its answer's feedback
    assert len(rests) > 1


def test_a_file_that_does_not_shrink_ends_the_work(tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "plain.sqlite", isolation_level=None)
    foreign.executescript("CREATE TABLE decisions (seq INTEGER PRIMARY KEY, id, at); CREATE TABLE t (x);")
    foreign.execute("INSERT INTO t VALUES (zeroblob(100000))")
    foreign.execute("DROP TABLE t")
    assert shrink(foreign)
    assert tidy(foreign, Retention(), NOW) == 0
    foreign.close()


def test_steps_grow_while_they_are_quick_and_shrink_when_they_are_slow(log: sqlite3.Connection) -> None:
    now, took = [0.0], [0.0]

    def clock() -> float:
        now[0] += took[0] / 2
        return now[0]

    pace, rules = Pace(clock=clock), Retention(max_age_days=1)
    fill(log, range(3))
    seen: list[int] = []
    for slow in [False] * 8 + [True] * 8 + [False] * 10:
        took[0] = STEP_S * 8 if slow else 0.0
        pace.step(rules, log, NOW)
        seen.append(pace.rows)
    assert seen[7] == seen[-1] == ROWS
    assert seen[15] == 1
    assert all(before <= after for before, after in pairwise(seen[:8]))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_forgetting_goes_on_where_it_was_interrupted(steps: int, tmp_path: Path) -> None:
    path, rules = tmp_path / "log.sqlite", Retention(max_age_days=1)
    connection = connect(path)
    fill(connection, range(50))
    for _ in range(steps):
        rules.step(connection, NOW, rows=10)
    connection.close()
    again = connect(path)
    assert tidy(again, rules, NOW) == 49 - 10 * steps
    assert counts(again) == [1, 1, 1]
    again.close()
