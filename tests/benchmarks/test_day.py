"""The alerts of a day with an outage, a price change, a drift and a runaway job, and none beside them."""

from __future__ import annotations

import pytest
from benchmarks.day import EVENTS, missing, page, replay, unexplained


def test_an_outage_is_told_and_its_end_and_nothing_else() -> None:
    told = replay(start=8.75, until=9.75, before=1.5)
    assert [(t.name, t.step) for t in told] == [("errors", "began"), ("errors", "ended")]
    began, ended = told
    assert 9.0 < began.hour < 9.1
    assert 9.4 < ended.hour < 9.5


@pytest.mark.slow
def test_the_day_brings_what_it_should_and_nothing_beside() -> None:
    told = replay()
    assert missing(told) == []
    assert unexplained(told) == []
    ended = {t.name for t in told if t.step == "ended"}
    assert ended == {"errors", "budget-burn", "edge-share", "budget-used"}
    drift, mean = (next(t.hour for t in told if t.name == name) for name in ("drift-quality", "quality"))
    assert drift < 15.0 < mean  # the watch over drift sees it hours before the day's mean
    assert "Beside them: none. Missing: none." in page(told, 1.0)


@pytest.mark.slow
def test_the_same_day_without_its_events_brings_nothing() -> None:
    assert replay(()) == []


def test_what_nobody_expects_is_said() -> None:
    told = replay(EVENTS[1:], start=9.0, until=9.05, before=0.5)
    assert (told, len(missing(told))) == ([], 7)
    outage = replay(EVENTS[:1], start=8.9, until=9.2, before=0.5)
    assert [t.name for t in unexplained(outage, EVENTS[1:])] == ["errors"]
