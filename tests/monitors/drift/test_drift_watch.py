from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.monitors.drift.drifting import CODE, NOW, PLAIN, day, row, store, story
from tests.monitors.production.test_patrol import until

from edgewise.domain.decisions import Record
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.drift import Drift
from edgewise.monitors.drift.reference import Reference, statistics_of
from edgewise.monitors.production import Alerts, ProductionMonitor, figures_of
from edgewise.monitors.production.alerts import Change
from edgewise.monitors.production.patrol import Patrol
from edgewise.outcomes import LogReader
from edgewise.settings.alerts import DEFAULTS

DRIFT_RULES = tuple(rule for rule in DEFAULTS if rule.name.startswith("drift-"))
WORDS = ("gift", "sister", "garden", "tea", "holiday", "walk", "song", "letter", "friend", "cake")


def chat(seed: int, count: int = 200) -> list[str]:
    draw = random.Random(seed)
    return [f"What about a {' '.join(draw.choices(WORDS, k=draw.randint(3, 12)))}?" for _ in range(count)]


def statistics(texts: list[str]) -> list[Any]:
    return [found for text in texts if (found := statistics_of(row(prompt=text))) is not None]


def watched(path: Path, *, reference: Reference | None = None, **changes: Any) -> Drift:
    drift = Drift(lambda: reference, clock=SettableClock(wall=NOW), **changes)
    drift.load(LogReader(path))
    return drift


def broken() -> list[Record]:
    """300 answers as forecast; then those to code are worse and slower, and the others are not."""
    worse = day(120, at=NOW - 1.0, seed=2, quality=0.3, slow=3.0, prompt=CODE, key="shop")
    well = day(120, at=NOW - 1.5, seed=3)
    return [*day(300, at=NOW - 300.0, seed=1), *sorted([*worse, *well], key=lambda record: record.at)]


def test_what_is_as_forecast_raises_nothing(tmp_path: Path) -> None:
    store(tmp_path / "log", *day(400, at=NOW, seed=4))
    drift = watched(tmp_path / "log")
    found = drift.figures()
    assert (found["quality_shift"].value, found["latency_shift"].value) == (0.0, 1.0)
    assert found["far_share"].value == 0.0
    report = drift.report()
    assert report.answers == 400
    assert report.labels == {"phi": 400}
    assert all(shift.since is None for shift in report.shifts)
    (calibration,) = report.calibration
    assert calibration.latency is not None
    assert calibration.latency.share > 0.9


def test_what_broke_is_found_and_so_is_the_part_that_broke(tmp_path: Path) -> None:
    store(tmp_path / "log", *broken())
    drift = watched(tmp_path / "log")
    for shift in drift.report().shifts:
        assert shift.since is not None
        assert shift.since > NOW - 300.0
        assert shift.slice is not None
        assert shift.slice.inside > shift.slice.outside + 0.2
    told = drift.figures()
    assert told["quality_shift"].value > 0.1
    assert told["latency_shift"].value > 1.3
    for figure in told.values():
        assert "shop" not in figure.where


def test_an_alarm_goes_out_like_any_other_and_says_where(tmp_path: Path) -> None:
    store(tmp_path / "log", *broken())
    told: list[Change] = []

    async def tell(change: Change, now: float) -> None:
        told.append(change)

    async def main() -> None:
        clock = SettableClock(wall=NOW)
        monitor = ProductionMonitor(clock=clock, drift=Drift(clock=clock))
        patrol = Patrol(monitor, Alerts(DRIFT_RULES), [tell], tmp_path)
        rounds = asyncio.create_task(patrol.run(LogReader(tmp_path / "log"), 0.01))
        await until(lambda: len(told) >= 2)
        rounds.cancel()
        await asyncio.wait([rounds])
        assert figures_of(monitor, "1h").quality_shift is None, "drift is watched over 24 hours"

    asyncio.run(main())
    assert {change.alert.name for change in told} == {"drift-quality", "drift-latency"}
    for change in told:
        assert "It comes from phi, most of all" in change.alert.sentence
        assert change.alert.samples >= 240


def test_read_in_pieces_or_at_once_it_is_the_same(tmp_path: Path) -> None:
    path, records = tmp_path / "log", broken()
    drift = Drift(clock=SettableClock(wall=NOW))
    for begin in range(0, len(records), 300):
        store(path, *records[begin : begin + 300])
        drift.load(LogReader(path)) if begin == 0 else drift.look(LogReader(path))
    assert drift.report() == watched(path).report()
    assert drift.figures() == watched(path).figures()


def test_other_prompts_than_those_of_training_are_seen(tmp_path: Path) -> None:
    trained = Reference.of(statistics(chat(1, 400)))
    store(tmp_path / "same", *(r for text in chat(2) for r in story(NOW - 9.0, prompt=text)))
    same = watched(tmp_path / "same", reference=trained).report().prompts
    assert (same.samples, same.against) == (200, "the training prompts")
    assert same.moved[0].index < 0.1
    code = [CODE.replace("add", f"add{n}") for n in range(200)]
    store(tmp_path / "code", *(
        r for n, text in enumerate(code)
        for r in story(NOW - 9.0, prompt=text, evidence={"far_from_training": 1.0} if n % 4 == 0 else {})
    ))  # fmt: skip
    drift = watched(tmp_path / "code", reference=trained)
    other = drift.report().prompts
    assert other.moved[0].index > 1.0
    assert next(m for m in other.moved if m.name == "log_lines").places > 0
    assert other.far_share == 0.25
    assert drift.figures()["prompt_psi"].value == other.moved[0].index


def test_without_a_bundle_the_days_before_are_what_to_compare_with(tmp_path: Path) -> None:
    before = (r for text in chat(3, 250) for r in story(NOW - 200_000.0, prompt=text))
    store(tmp_path / "log", *before, *(r for text in chat(4, 100) for r in story(NOW - 9.0, prompt=text)))
    found = watched(tmp_path / "log").report().prompts
    assert (found.samples, found.against) == (100, "the days before")
    assert found.moved[0].index < 0.2


@pytest.mark.parametrize(
    ("prompt", "count", "why"),
    [(None, 80, "keeps neither"), (PLAIN, 80, "no bundle"), (PLAIN, 0, "no bundle")],
)
def test_what_cannot_be_compared_says_why(tmp_path: Path, prompt: str | None, count: int, why: str) -> None:
    store(
        tmp_path / "log",
        *(r for _ in range(count) for r in story(NOW - 9.0, prompt=prompt)),
        *([] if count else story(NOW - 9e5)),
    )
    found = watched(tmp_path / "log").report().prompts
    assert why in found.why
    assert found.moved == ()


def test_a_reference_is_no_change_from_itself_and_survives_being_kept() -> None:
    same = statistics(chat(5, 300))
    made = Reference.of(same)
    assert max(index for index, _ in made.stability(same).values()) == 0.0
    again = Reference.from_arrays(made.arrays())
    assert again is not None
    assert np.array_equal(again.edges, made.edges)
    assert (again.count, again.source) == (300, "the training prompts")
    assert Reference.from_arrays({}) is None
