"""Lists of decisions: in bounded time, and honest about how far they looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.cli.stored import fill
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME

from edgewise.domain.decisions import Decision
from edgewise.domain.ids import mint
from edgewise.outcomes import LogReader, listing
from edgewise.outcomes.listing import AT_FIRST, SHOWN


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "edgewise.sqlite"


def decisions(count: int, prompt: str = "What?") -> list[Decision]:
    return [replace(DECISION, id=mint(), prompt=prompt, at=DECISION.at + n) for n in range(count)]


def test_a_line_has_what_ended_it_and_what_was_said(log: Path) -> None:
    fill(log, replace(DECISION, prompt="x" * 1000), OUTCOME, FEEDBACK, *decisions(1))
    found = LogReader(log).listed()
    under_way, ended = found.found
    assert (under_way.status, under_way.quality) == (None, None)
    assert (ended.id, ended.status, ended.latency_s) == (DECISION.id, "ok", OUTCOME.latency_s)
    assert len(ended.prompt or "") == SHOWN
    story = LogReader(log).decision(DECISION.id)
    assert story is not None
    assert ended.quality == story.quality
    assert found.ended


def test_pages_follow_each_other_without_a_gap(log: Path) -> None:
    made = decisions(25)
    fill(log, *made)
    reader, below, seen = LogReader(log), None, []
    while True:
        page = reader.listed(10, below)
        seen += [one.id for one in page.found]
        if page.ended:
            break
        below = page.reached
    assert seen == [one.id for one in reversed(made)]


def test_a_search_stops_when_its_time_is_up_and_goes_on_where_it_stopped(log: Path) -> None:
    oldest = replace(DECISION, id=mint(), prompt="the needle")
    fill(log, oldest, *decisions(2 * AT_FIRST, "hay"))
    reader = LogReader(log)
    first = reader.listed(10, None, 0.0, text="NEEDLE")
    assert (first.found, first.ended) == ((), False)
    assert first.reached_at == DECISION.at + AT_FIRST
    looks, page = 1, first
    while not page.ended:
        page = reader.listed(10, page.reached, 0.0, text="NEEDLE")
        looks += 1
    assert [one.id for one in page.found] == [oldest.id]
    assert looks == 3


def test_an_empty_log_is_at_its_end(log: Path) -> None:
    fill(log)
    assert LogReader(log).listed().ended


def test_long_prompts_are_read_as_long_as_there_is_time(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(log, *decisions(6 * AT_FIRST, "hay"))
    now = iter(float(n) for n in range(100))  # every look at the clock finds a second gone
    monkeypatch.setattr(listing, "monotonic", lambda: next(now))
    page = LogReader(log).listed(10, None, 2.5, text="needle")
    assert page.reached_at == DECISION.at + 3 * AT_FIRST, "no batch was larger than the first"
    assert not page.ended
