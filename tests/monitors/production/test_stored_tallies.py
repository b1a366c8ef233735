"""What is kept of the log is what would be counted again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.monitors.production.test_production_monitor import PLACES, counts, said, story

from edgewise.domain.decisions import Record
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.production import WINDOWS, ProductionMonitor
from edgewise.monitors.production.stored import FILE, LATE_S, Tallies
from edgewise.outcomes import LogReader
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

NOW = 1_790_000_005.0
HOUR, DAY = 3600.0, 86_400.0
Spans = list[tuple[float, float]]


def fill(path: Path, *records: Record) -> None:
    connection = connect(path)
    write(connection, [(None, records)])
    connection.close()


def traffic(since: float, until: float, number: int, seed: int) -> list[Record]:
    random = Random(seed)
    found: list[Record] = []
    times = [random.uniform(since, until) for _ in range(number)]
    times += [since // 900 * 900 + 900 * quarter for quarter in range(1, 9)]  # on the very edge of a bucket
    for at in sorted(at for at in times if since <= at <= until):
        how: dict[str, Any] = {"status": random.choice(["ok", "ok", "error", "cancelled"])}
        found += story(at, by=random.choice(["phi", "gpt"]), latency_s=random.uniform(0.01, 9.0), **how)
        if random.random() < 0.3:
            found.append(said(at, quality=random.random()))
    return found


def loaded(reader: LogReader, now: float, tallies: Tallies | None) -> list[dict[str, Any]]:
    monitor = ProductionMonitor(PLACES, clock=SettableClock(wall=now))
    monitor.load(reader, tallies)
    return [counts(tally) for window in WINDOWS for _, tally in monitor.buckets(window)]


def close(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> bool:
    plain = [{k: v for k, v in both.items() if k != "took"} for both in one]
    return [t["took"] for t in one] == [t["took"] for t in two] and all(
        a == pytest.approx({k: v for k, v in b.items() if k != "took"})
        for a, b in zip(plain, two, strict=True)
    )


def watched(reader: LogReader, monkeypatch: pytest.MonkeyPatch) -> Spans:
    spans: Spans = []
    counted: Callable[..., Any] = reader.counted

    def noting(after: float, until: float, width_s: float) -> Any:
        spans.append((after, until))
        return counted(after, until, width_s)

    monkeypatch.setattr(reader, "counted", noting)
    return spans


@pytest.mark.parametrize("later", [0.0, 700.0, 5 * HOUR, 2 * DAY, 8 * DAY])
def test_a_start_with_what_is_kept_sees_what_a_start_without_sees(tmp_path: Path, later: float) -> None:
    log = tmp_path / "log.sqlite"
    fill(log, *traffic(NOW - 8 * DAY, NOW, 200, 1))
    reader = LogReader(log)
    edges = {name: place == "edge" for name, place in PLACES.items()}
    Tallies(tmp_path, reader).update(edges, NOW)
    fill(log, *traffic(NOW, NOW + later, 60, 2) if later else [])
    again = Tallies(tmp_path, reader)
    for _ in range(2):
        found = loaded(reader, NOW + later, again)
        assert close(found, loaded(reader, NOW + later, None))
        assert found or later == 8 * DAY
        again.update(edges, NOW + later)


def test_the_next_start_reads_the_last_hour_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.sqlite"
    fill(log, *traffic(NOW - 7 * DAY, NOW, 100, 3))
    reader = LogReader(log)
    Tallies(tmp_path, reader).update({}, NOW)
    spans = watched(reader, monkeypatch)
    loaded(reader, NOW + 60.0, Tallies(tmp_path, reader))
    assert min(after for after, _ in spans) > NOW - HOUR - LATE_S - HOUR
    spans.clear()
    Tallies(tmp_path, reader).update({}, NOW + 60.0)
    assert spans == []
    Tallies(tmp_path, reader).update({}, NOW + 2 * HOUR)
    assert min(after for after, _ in spans) > NOW - HOUR - LATE_S - HOUR


def test_what_is_still_on_its_way_to_the_disk_is_not_closed(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    on_the_hour = NOW // HOUR * HOUR
    fill(log, *story(on_the_hour - 100.0))
    reader = LogReader(log)
    Tallies(tmp_path, reader).update({}, on_the_hour + 60.0)
    fill(log, *story(on_the_hour - 1.0))  # late
    tallies = Tallies(tmp_path, reader)
    tallies.update({}, on_the_hour + LATE_S + 60.0)
    assert close(loaded(reader, on_the_hour + 400.0, tallies), loaded(reader, on_the_hour + 400.0, None))


@pytest.mark.parametrize(
    "how", ["torn", "of another log", "of the future", "of an older version", "too short", "absent"]
)
def test_what_does_not_belong_to_the_log_is_not_believed(tmp_path: Path, how: str) -> None:
    log, other = tmp_path / "log.sqlite", tmp_path / "other.sqlite"
    for path, seed in ((log, 4), (other, 5)):
        fill(path, *traffic(NOW - DAY, NOW, 50, seed))
    reader = LogReader(log)
    kept = tmp_path / FILE
    if how == "of another log":
        Tallies(tmp_path, LogReader(other)).update({}, NOW)
    elif how == "of the future":
        Tallies(tmp_path, reader).update({}, NOW + 30 * DAY)
    elif how == "torn":
        Tallies(tmp_path, reader).update({}, NOW)
        kept.write_bytes(kept.read_bytes()[:-9])
    elif how == "too short":
        Tallies(tmp_path, reader).update({}, NOW)
        assert b"[[0," in kept.read_bytes()
        kept.write_bytes(kept.read_bytes().replace(b"[[0,", b"[["))
    elif how == "of an older version":
        Tallies(tmp_path, reader).update({}, NOW)
        kept.write_bytes(kept.read_bytes().replace(b'"edge","cloud"', b'"cloud","edge"'))
    assert close(loaded(reader, NOW, Tallies(tmp_path, reader)), loaded(reader, NOW, None))
    assert kept.exists() is (how != "absent")


def test_an_old_week_leaves_no_trace(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    fill(log, *traffic(NOW - 7 * DAY, NOW, 300, 6))
    reader = LogReader(log)
    Tallies(tmp_path, reader).update({}, NOW)
    grown = (tmp_path / FILE).stat().st_size
    Tallies(tmp_path, reader).update({}, NOW + 30 * DAY)
    assert (tmp_path / FILE).stat().st_size < 300 < grown
