"""The page of what was learned: over a log whose forecasts are right, and one where they are not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.dashboard import forecasts
from tests.monitors.drift.drifting import CODE, NOW, day, store
from tests.outcomes.sample import decision, outcome

from edgewise.dashboard.exploration import spent_on
from edgewise.dashboard.html import Html
from edgewise.dashboard.page import Visit
from edgewise.dashboard.pages.learning import PAGE
from edgewise.dashboard.reliability import reliability
from edgewise.domain.decisions import Estimate, Feedback, Forecast
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.drift import Calibration, Drift
from edgewise.monitors.drift.calibration import Bin
from edgewise.outcomes import LogReader
from edgewise.outcomes.foreseen import Foreseen
from edgewise.settings import Settings


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogReader]:
    """Three candidates, forecasts that are right but for noise, a quarter of the choices left to chance."""
    path = tmp_path_factory.mktemp("learning") / "edgewise.sqlite"
    forecasts.write(path, NOW, decisions=400)
    with closing(LogReader(path)) as reader:
        yield reader


def visit(reader: LogReader, *, watched: bool = True) -> Visit:
    """A look at the page over a log that has been watched for drift."""
    drift = Drift(clock=SettableClock(wall=NOW))
    drift.load(reader)
    patrol = SimpleNamespace(monitor=SimpleNamespace(drift=drift)) if watched else None
    sources: Any = SimpleNamespace(reader=reader, patrol=patrol, settings=Settings())
    loop: Any = asyncio
    return Visit("/learning", sources, loop, NOW)


def shown(reader: LogReader, *, watched: bool = True) -> str:
    body = PAGE.body(visit(reader, watched=watched))
    assert isinstance(body, Html)
    return body


def test_it_shows_calibration_exploration_and_labels(right: LogReader) -> None:
    said = shown(right)
    for words in (
        "Reliability of phi", "Reliability of grand", "Latencies within their interval",
        "Calibration of every", "Choices by candidate", "By the forecasts of then",
        "Labels by source and candidate", "holds",
    ):  # fmt: skip
        assert words in said, words
    assert "badge bad" not in said
    assert "most of all prompts" not in said
    assert said.count("<figure") == said.count("<summary>Table"), "every chart can be read as a table"


def test_what_broke_is_named_with_its_slice(tmp_path: Path) -> None:
    path = tmp_path / "edgewise.sqlite"
    store(path, *day(400, at=NOW - 400, seed=1))
    for n in range(8):
        end = NOW - 400 + 50 * (n + 1)
        store(path, *day(25, at=end - 25, seed=n), *day(25, at=end, seed=50 + n, quality=0.3, prompt=CODE))
    with closing(LogReader(path)) as reader:
        said = shown(reader)
    assert re.search(r"phi: quality 0\.\d+ lower", said)
    assert "most of all prompts with code" in said
    assert "edgewise train" in said


def test_labels_are_counted_by_source_as_they_come(right: LogReader) -> None:
    here = visit(right)
    assert PAGE.live is not None
    before = PAGE.live(here)
    last = right.latest(1)[0].decision.id
    hostile = "judge:<script>\x1b[2J"
    store(right.path, Feedback(id="fb_judged", decision_id=last, at=NOW + 5, quality=0.5, source=hostile))
    after = PAGE.live(here)
    assert {name for name in before if before[name] != after[name]} == {"sums", "labels"}
    assert "judges" in after["labels"]
    assert "judge:&lt;script&gt;\\x1b[2J" in after["labels"], "a source is text from outside"


def test_it_says_what_to_do_where_there_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "edgewise.sqlite"
    store(path)
    with closing(LogReader(path)) as reader:
        assert "There is nothing to learn from yet." in shown(reader)
        made = decision(at=NOW - 5)
        store(path, made, outcome(made))
        said = shown(reader)
        for todo in ("edgewise train", "explore = 0.02", "edgewise judge", "Prompts are not compared"):
            assert todo in said
        assert "[monitor]" in shown(reader, watched=False)


def test_exploration_is_weighed_against_the_favourite() -> None:
    def made(chosen: str, quality: float | None, *, failed: bool = False) -> Foreseen:
        def forecast(quality: float, usd: float, seconds: float) -> Forecast:
            exact = (Estimate(x, x, x) for x in (quality, seconds, usd))
            return Forecast(**dict(zip(("quality", "latency_s", "cost_usd"), exact, strict=True)))

        both = {"phi": forecast(0.7, 0.0, 1.0), "grand": forecast(0.9, 0.01, 3.0)}
        odds = {"phi": 0.9, "grand": 0.1}
        return Foreseen("", chosen, odds[chosen], odds, both, quality, 2.0, 0.02, failed=failed)

    explored = [*(made("grand", 1.0) for _ in range(12)), made("grand", 0.0, failed=True)]
    found = spent_on([*explored, *(made("phi", 0.5) for _ in range(5))])
    assert (found.explored.choices, found.favourites.choices) == (13, 5)
    assert found.usd == pytest.approx(0.13)
    assert found.quality == pytest.approx(-0.2)
    assert found.latency_s == pytest.approx(2.0)
    assert found.explored.quality == Estimate(1.0, 1.0, 1.0), "a failure is no rating"
    assert found.favourites.quality is None, "five numbers have no interval"
    assert spent_on([]).usd is None


def test_the_diagonal_is_where_forecasts_are_right() -> None:
    bins = (Bin(0.3, 0.3, 0.02, 20, 0.25, 0.35), Bin(0.9, 0.5, 0.02, 20, 0.85, 0.95))
    drawn = reliability(Calibration("phi", 40, bins), 0)
    ideal = [
        float(n) for n in re.findall(r'(?:x|y)[12]="([0-9.]+)%"', drawn[drawn.index('class="ideal"') - 90 :])
    ]
    (x1, y1), (x2, y2) = ideal[:2], ideal[2:4]
    places = re.findall(r'<circle cx="([0-9.]+)%" cy="([0-9.]+)%"', drawn)
    for (x, y), is_right in zip(places, (True, False), strict=True):
        height = y1 + (float(x) - x1) / (x2 - x1) * (y2 - y1)
        assert (float(y) == pytest.approx(height, abs=0.1)) == is_right
