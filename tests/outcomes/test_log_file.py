"""What the file survives, and what it says where it cannot be used."""

from __future__ import annotations

import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.outcomes.sample import DECISION, OUTCOME, decision, outcome

from edgewise.domain.errors import StoreError
from edgewise.outcomes import LogReader
from edgewise.outcomes.schema import MIGRATIONS, connect
from edgewise.outcomes.writer import write

ROOT = Path(__file__).parent.parent.parent
APPENDING = (sys.executable, "-m", "tests.outcomes.appending")


def filled(path: Path, pairs: int = 3) -> None:
    connection = connect(path)
    for _ in range(pairs):
        asked = decision()
        write(connection, [(None, (asked, outcome(asked)))])
    connection.close()


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    dice = random.Random(7)
    told: list[str] = []
    for _ in range(10):
        with subprocess.Popen(
            [*APPENDING, str(path), "100000"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            told.append(child.stdout.readline())  # it has begun
            time.sleep(dice.uniform(0.0, 0.15))
            child.kill()
            told += child.stdout.readlines()
    reader = LogReader(path)
    stories = {story.decision.id: story for story in reader.stories()}
    whole = [line.split() for line in told if line.endswith("\n")]
    assert len(whole) >= 10
    for kind, identity in whole:
        assert identity in stories, f"the decision {identity} was acknowledged and is lost"
        assert kind == "decision" or stories[identity].outcome is not None, (
            f"the outcome of {identity} is lost"
        )
    (healthy,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    assert healthy == "ok"


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    children = [
        subprocess.Popen([*APPENDING, str(path), "25"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [line.split()[1] for child in children for line in child.communicate(timeout=120)[0].splitlines()]
    assert [child.returncode for child in children] == [0, 0]
    stories = list(LogReader(path).stories())
    assert len(stories) == 2 * 8 * 25
    assert {story.decision.id for story in stories} == set(told)
    assert all(story.outcome is not None for story in stories)


@pytest.mark.parametrize("damage", ["cut", "garbled", "emptied"])
def test_a_torn_wal_opens_with_what_was_whole(tmp_path: Path, damage: str) -> None:
    path, torn = tmp_path / "log.sqlite", tmp_path / "torn.sqlite"
    connection = connect(path)
    write(connection, [(None, (DECISION,))])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    later = [decision() for _ in range(40)]
    for one in later:
        write(connection, [(None, (one,))])
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", f"{torn}{ending}")
    connection.close()
    wal = Path(f"{torn}-wal")
    whole = wal.read_bytes()
    half = len(whole) // 2 + 1000  # in the middle of a frame
    wal.write_bytes({"cut": whole[:half], "garbled": whole[:half] + b"\x5a" * half, "emptied": b""}[damage])
    reopened = connect(torn)
    write(reopened, [(None, (OUTCOME,))])
    reopened.close()
    found = [story.decision for story in LogReader(torn).stories()]
    assert found == [DECISION, *later][: len(found)]
    assert len(found) == 1 if damage == "emptied" else 1 < len(found) < 41
    assert LogReader(torn).decision(DECISION.id).outcome == OUTCOME  # type: ignore[union-attr]


def test_only_the_owner_may_read_what_people_asked(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "log.sqlite"
    connection = connect(path)
    write(connection, [(None, (DECISION,))])
    for ending in ("", "-wal", "-shm"):
        assert stat.S_IMODE(Path(f"{path}{ending}").stat().st_mode) == 0o600
    connection.close()


def test_an_older_file_moves_forward(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path)

    def second(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE decisions ADD COLUMN later TEXT DEFAULT 'new'")

    for _ in range(2):  # the second time there is nothing left to do
        connection = connect(path, migrations=(*MIGRATIONS, second))
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert connection.execute("SELECT count(*) FROM decisions WHERE later = 'new'").fetchone() == (3,)
        connection.close()


def test_a_file_from_before_there_was_more_feedback(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    old = connect(path, migrations=MIGRATIONS[:1])
    old.execute("INSERT INTO feedback VALUES (1, 'f', 'req_x', 1.0, NULL, NULL, 'up', NULL, 'user')")
    old.close()
    with pytest.raises(StoreError, match="start the gateway once"):
        LogReader(path).count()
    new = connect(path)
    assert new.execute("SELECT thumbs, success, correction FROM feedback").fetchone() == ("up", None, None)
    new.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path)

    def second(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE feedback")
        connection.execute("SELECT nonsense")

    with pytest.raises(StoreError, match="nonsense"):
        connect(path, migrations=(*MIGRATIONS, second))
    connect(path).close()
    assert LogReader(path).count() == 3


def test_a_newer_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path)
    known = len(MIGRATIONS)
    connect(path, migrations=(*MIGRATIONS, lambda _: None)).close()
    for use in (lambda: connect(path), lambda: LogReader(path).count()):
        with pytest.raises(
            StoreError,
            match=rf"newer Edgewise \(version {known + 1} of the log, this one knows up to {known}\)",
        ):
            use()


def test_a_file_that_waits_for_its_migration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.touch()
    with pytest.raises(StoreError, match="is empty; start the gateway once"):
        LogReader(path).count()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"This is a letter, not a log. " * 100, "is no outcome log"), (None, "is a folder")],
)
def test_what_is_no_log_is_named_and_left_alone(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "log.sqlite"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    for use in (lambda: connect(path), lambda: LogReader(path).count()):
        with pytest.raises(StoreError, match=message):
            use()
    assert content is None or path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    before = path.read_bytes()
    for use in (lambda: connect(path), lambda: LogReader(path).count()):
        with pytest.raises(StoreError, match="database of another program"):
            use()
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        connect(tmp_path / "file" / "log.sqlite")


def test_sql_sees_columns_and_attempts(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    connection = connect(path)
    write(connection, [(None, (DECISION, OUTCOME))])
    asked = connection.execute(
        "SELECT d.chosen, o.cost_usd FROM decisions d JOIN outcomes o ON o.decision_id = d.id"
    )
    assert asked.fetchall() == [("smollm2-135m", 0.00002)]
    tried = connection.execute(
        "SELECT decision_id, n, candidate, status, latency_s, http_status FROM attempts"
    )
    assert tried.fetchall() == [(DECISION.id, 0, "smollm2-135m", "ok", 1.4, 200)]
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT count(*) FROM decisions WHERE at > 5").fetchall()
    assert "decisions_at" in plan[0][3]
    connection.close()
