from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.stored import fill
from tests.monitors.production.test_production_monitor import NOW, PLACES, story
from tests.servers import Running

from edgewise.app.patrolling import patrol_for
from edgewise.domain.errors import StoreError
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.production import Alerts, ProductionMonitor, patrol
from edgewise.monitors.production.alerts import Alert, Change
from edgewise.monitors.production.kept import acknowledge, read_alerts, write_alerts
from edgewise.monitors.production.patrol import KEEP_S, Patrol
from edgewise.monitors.production.stored import FILE
from edgewise.outcomes import LogReader
from edgewise.settings import Settings
from edgewise.settings.alerts import DEFAULTS
from edgewise.settings.monitoring import MonitorSettings

RULES = tuple(rule for rule in DEFAULTS if rule.name in ("errors", "latency"))


async def until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


class Watched:
    """A patrol under a settable clock, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock(wall=NOW)
        self.told: list[tuple[str, str]] = []
        self.monitor = ProductionMonitor(PLACES, clock=self.clock)
        self.patrol = Patrol(
            self.monitor, Alerts(RULES, read_alerts(folder)), [self.broken, self.tell], folder
        )

    async def tell(self, change: Change, now: float) -> None:
        assert now == self.clock.wall()
        self.told.append((change.step, change.alert.name))

    async def broken(self, change: Change, now: float) -> None:
        raise RuntimeError(f"this one always fails: {change} {now}")

    def serve(self, count: int, **changes: Any) -> None:
        for _ in range(count):
            for record in story(self.clock.wall(), **changes):
                self.monitor.observe(record)

    async def look(self) -> None:
        await self.patrol.look()
        await self.patrol.settled()


def test_an_outage_is_told_once_at_each_end_and_survives_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        first = Watched(tmp_path)
        first.serve(60, latency_s=0.1)
        await first.look()
        assert first.told == []
        first.clock.advance(60.0)
        first.serve(30, status="error")
        await first.look()
        await first.look()
        assert first.told == [("began", "errors")]
        noted = acknowledge(tmp_path, "errors", first.clock.wall())
        assert noted is not None
        await first.look()
        assert [alert.acknowledged_at for alert in first.patrol.alerts.standing] == [noted.acknowledged_at]

        second = Watched(tmp_path)
        second.serve(30, status="error")
        await second.look()
        assert second.told == [], "it was told before the restart"
        assert second.patrol.alerts.standing[0].acknowledged_at == noted.acknowledged_at
        second.clock.advance(301.0)
        second.serve(40, latency_s=0.1)
        await second.look()
        assert second.told == [("ended", "errors")]
        assert read_alerts(tmp_path) == ()

    asyncio.run(main())


def test_it_begins_with_what_the_log_holds_and_goes_on_by_itself(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    fill(tmp_path / "log", *(r for n in range(60) for r in story(NOW - n, latency_s=2.0)))

    async def main() -> None:
        rounds = asyncio.create_task(watched.patrol.run(LogReader(tmp_path / "log"), 1.0))
        await until(lambda: bool(watched.told))
        rounds.cancel()
        await asyncio.wait([rounds])

    asyncio.run(main())
    assert watched.told == [("began", "latency")]


def test_a_log_that_is_not_there_yet_is_no_crash(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(tmp_path)

    async def main() -> None:
        rounds = asyncio.create_task(watched.patrol.run(LogReader(tmp_path / "none"), 1.0))
        await until((tmp_path / "alerts.json").exists)
        rounds.cancel()
        await asyncio.wait([rounds])

    asyncio.run(main())
    assert "The figures begin with now" in caplog.text


def test_it_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    assert patrol_for(Settings(monitor=MonitorSettings(enabled=False))) is None
    assert patrol_for(Settings()) is not None


def test_a_gateway_patrols(running: Running) -> None:
    async def main() -> None:
        await until((running.home / "alerts.json").exists)

    asyncio.run(main())
    assert read_alerts(running.home) == ()


def test_what_the_log_holds_is_kept_for_the_next_start(tmp_path: Path) -> None:
    """At once, and again when there is more of it; a folder that cannot be written stops nobody."""

    async def patrol() -> None:
        log = tmp_path / "log.sqlite"
        fill(log, *story(NOW - 9000.0))
        watched = Watched(tmp_path)
        rounds = asyncio.create_task(watched.patrol.run(LogReader(log), every_s=0.01))
        kept = tmp_path / FILE
        await until(kept.exists)
        first = kept.read_bytes()
        fill(log, *story(NOW - 10.0))
        watched.clock.advance(2 * KEEP_S)
        await until(lambda: kept.read_bytes() != first)
        rounds.cancel()

    asyncio.run(patrol())
    aside = Watched(tmp_path / "log.sqlite" / "no folder")
    aside.patrol._load(LogReader(tmp_path / "log.sqlite"))
    assert aside.monitor.window("24h").requests == 2


def test_what_stood_under_another_rule_of_the_name_does_not_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    stood = [
        Alert("errors", "error_rate", "1h", 0.5, 0.6, 100, NOW, NOW),
        Alert("latency", "p95_s", "5m", 0.5, 0.6, 100, NOW, NOW),
    ]
    write_alerts(tmp_path, stood)
    rules = {rule.name: rule for rule in DEFAULTS}
    found = patrol_for(Settings())
    assert found is not None
    (alert,) = found.alerts.standing
    assert (alert.name, alert.limit) == ("latency", rules["latency"].band.enter)


def test_a_look_that_fails_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watched, looks = Watched(tmp_path), [1]

    async def look() -> None:
        looks.append(1)
        if len(looks) < 4:
            raise RuntimeError("not foreseen")

    monkeypatch.setattr(watched.patrol, "look", look)

    async def main() -> None:
        rounds = asyncio.create_task(watched.patrol.run(LogReader(tmp_path / "none.sqlite"), 0.0))
        await until(lambda: len(looks) >= 5)
        rounds.cancel()
        await asyncio.wait([rounds])

    asyncio.run(main())
    assert "the next one comes" in caplog.text


def test_what_stands_is_written_where_it_is_news_and_again_where_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[int] = []

    def write(folder: Path, standing: tuple[Alert, ...]) -> None:
        written.append(len(standing))
        if len(written) == 1:
            raise StoreError("No space left on device.")
        write_alerts(folder, standing)

    monkeypatch.setattr(patrol, "write_alerts", write)
    watched = Watched(tmp_path)

    async def main() -> None:
        for _ in range(5):
            await watched.look()
        watched.serve(60, status="error")
        await watched.look()

    asyncio.run(main())
    assert written == [0, 0, 1]
    assert [alert.name for alert in read_alerts(tmp_path)] == ["errors"]
    assert "No space left" in caplog.text
