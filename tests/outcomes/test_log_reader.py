from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
from tests.outcomes.sample import AT, DECISION, FEEDBACK, OUTCOME, decision, outcome

from edgewise.domain.decisions import Decision, Feedback, Outcome, Record
from edgewise.domain.errors import StoreError, UnknownModel
from edgewise.outcomes import LogReader
from edgewise.outcomes.reader import CONDITIONS, Filters
from edgewise.outcomes.rows import (
    DECISION_COLUMNS,
    FEEDBACK_COLUMNS,
    OUTCOME_COLUMNS,
    DecisionDetails,
    OutcomeDetails,
)
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write


def log_of(path: Path, *records: Record) -> LogReader:
    connection = connect(path)
    for record in records:
        write(connection, [(None, (record,))])
    connection.close()
    return LogReader(path)


@pytest.fixture
def many(tmp_path: Path) -> tuple[LogReader, list[Decision]]:
    decisions = [decision(at=AT + n, session="s" if n % 2 else None) for n in range(450)]
    reader = log_of(tmp_path / "log.sqlite", *decisions)
    return reader, decisions


def test_a_story_has_all_that_belongs_to_it(tmp_path: Path) -> None:
    other = decision()
    reader = log_of(tmp_path / "log.sqlite", DECISION, other, OUTCOME, FEEDBACK, outcome(other))
    story = reader.decision(DECISION.id)
    assert story is not None
    assert (story.decision, story.outcome, story.feedback) == (DECISION, OUTCOME, (FEEDBACK,))
    assert story.attempts == OUTCOME.attempts
    assert story.quality == 0.8


def test_a_decision_is_found_by_a_beginning_and_as_the_last(tmp_path: Path) -> None:
    one, two = (decision(id=f"req_{letter}" + "0" * 31) for letter in "ab")
    reader = log_of(tmp_path / "log.sqlite", two, one)
    for which, found in (("req_a", one), (one.id, one), ("req_b0", two), ("last", one)):
        story = reader.decision(which)
        assert story is not None
        assert story.decision == found
    for which in ("req_c", "", "eq_a", one.id + "0", "req_%"):
        assert reader.decision(which) is None
    with pytest.raises(StoreError, match="More than one decision's id begins with 'req_'"):
        reader.decision("req_")


def test_an_empty_log_has_no_last(tmp_path: Path) -> None:
    reader = log_of(tmp_path / "log.sqlite")
    assert reader.decision("last") is None
    assert reader.latest() == list(reader.stories()) == []
    assert reader.count() == 0


def test_paging_back_meets_everything_once(many: tuple[LogReader, list[Decision]]) -> None:
    reader, decisions = many
    found: list[Decision] = []
    before = None
    while page := reader.latest(100, before=before):
        found += [story.decision for story in page]
        before = page[-1].decision.id
    assert found == decisions[::-1]
    with pytest.raises(UnknownModel, match="no decision 'req_x'"):
        reader.latest(5, before="req_x")


def test_reading_forward_meets_everything_once(many: tuple[LogReader, list[Decision]]) -> None:
    reader, decisions = many
    stories = list(reader.stories())
    assert [story.decision for story in stories] == decisions
    assert all(a.seq < b.seq for a, b in pairwise(stories))
    assert [story.decision for story in reader.since(stories[9].seq, 5)] == decisions[10:15]
    assert reader.since(stories[-1].seq) == []


def test_filters(tmp_path: Path) -> None:
    cloud = decision(
        chosen="giant", location="cloud", policy="random", reason="explored", session="s", at=AT + 10
    )
    reader = log_of(tmp_path / "log.sqlite", DECISION, OUTCOME, cloud, outcome(cloud, status="error"))
    only_cloud: list[Filters] = [
        {"candidate": "giant"},
        {"location": "cloud"},
        {"policy": "random"},
        {"reason": "explored"},
        {"session": "s"},
        {"status": "error"},
        {"after": AT},
    ]
    for filters in only_cloud:
        assert [story.decision for story in reader.latest(**filters)] == [cloud]
    assert [story.decision for story in reader.stories(until=AT)] == [DECISION]
    assert reader.latest(candidate="giant", location="edge") == []
    assert CONDITIONS.keys() == Filters.__annotations__.keys()


def test_a_reader_sees_what_is_written_meanwhile_from_any_thread(tmp_path: Path) -> None:
    connection = connect(tmp_path / "log.sqlite")
    reader = LogReader(tmp_path / "log.sqlite")
    counts: list[int] = []
    for _ in range(5):
        write(connection, [(None, (decision(),))])
        thread = threading.Thread(target=lambda: counts.append(reader.count()))
        thread.start()
        thread.join()
    connection.close()
    reader.close()
    assert counts == [1, 2, 3, 4, 5]
    assert reader.count() == 5


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    reader = log_of(tmp_path / "log.sqlite", DECISION)
    with pytest.raises(StoreError, match="readonly"):
        reader._rows("DELETE FROM decisions")


def test_no_log_yet(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no outcome log at"):
        LogReader(tmp_path / "none.sqlite").count()
    assert not (tmp_path / "none.sqlite").exists()


def test_details_that_no_longer_fit_do_not_hide_the_rest(tmp_path: Path) -> None:
    reader = log_of(tmp_path / "log.sqlite", DECISION, OUTCOME)
    reader.close()
    connection = connect(tmp_path / "log.sqlite")
    connection.execute("UPDATE decisions SET details = '{\"odds\": 3}'")
    connection.close()
    (story,) = reader.latest()
    assert story.decision.chosen == DECISION.chosen
    assert story.decision.odds == {}
    assert story.outcome == OUTCOME


def test_every_field_has_its_place() -> None:
    columns = (
        (Decision, DECISION_COLUMNS, DecisionDetails),
        (Outcome, OUTCOME_COLUMNS, OutcomeDetails),
    )
    for record, named, details in columns:
        places = sorted([*named[:-1], *details.__struct_fields__])
        assert places == sorted(record.__struct_fields__)
    assert sorted(FEEDBACK_COLUMNS) == sorted(Feedback.__struct_fields__)
