"""A seeded day with an outage, a price change, a drift and a runaway job, replayed through the real monitor.

`python -m benchmarks.day` prints which alerts came, and when; `--write PATH` puts it into a page. The gateway
"starts" at midnight on the log of a quiet day. Nothing is sped up but the clock: records go through the
log, the monitor, the watch over drift and the alerts as they would in 24 hours.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.decisions import Attempt, Decision, Estimate, Feedback, Forecast, Outcome
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.drift import Drift
from edgewise.monitors.production import Alerts, ProductionMonitor, figures_of, rules_for
from edgewise.outcomes import LogReader
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write
from edgewise.settings.monitoring import AlertSettings
from edgewise.settings.schema import BudgetSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewise.domain.decisions import Record
    from edgewise.monitors.production.alerts import Change

SEED: Final = 20260921
MIDNIGHT: Final = 1_790_035_200.0  # 2026-09-22 00:00 UTC
HOUR, DAY = 3600.0, 86_400.0
A_DAY: Final = 20_000  # requests
CLOUD: Final = 0.12  # of them
HEARD: Final = 0.10  # of them
GOOD: Final = 0.92  # of answers, as feedback and forecasts have it
USUAL_USD: Final = 0.0015  # a cloud request
JOB_USD, JOB_A_MINUTE = 0.004, 15
PLACES: Final[Mapping[str, Any]] = {"phi": "edge", "gpt": "cloud"}
MEDIAN_S: Final = {"phi": 0.8, "gpt": 1.2}
# What an operator of such traffic would set beside the defaults.
RULES: Final = (AlertSettings("latency", above=5.0), AlertSettings("cost", above=0.0004))
BUDGET: Final = BudgetSettings(usd_per_day=9.0)


@dataclass(frozen=True)
class Event:
    """What happens from `begins` to `ends` (hours of the day), and the alerts that it should bring."""

    name: str
    begins: float
    ends: float
    what: str
    alerts: tuple[str, ...]

    def on(self, hour: float) -> bool:
        """Whether it is under way at that hour."""
        return self.begins <= hour < self.ends


EVENTS: Final = (
    Event("outage", 9.0, 9.4, "the cloud answers every call with 503, and nobody may take over", ("errors",)),
    Event("price change", 11.0, 24.0, "a cloud request costs three times as much as before", ("cost",)),
    Event(
        "drift", 14.0, 24.0, "the edge's answers are good 62 % of the time, forecast as ever: 92 %",
        ("drift-quality", "quality"),
    ),
    Event(
        "runaway job", 19.0, 20.0, "15 more requests a minute go to the cloud, at $0.004 each",
        ("budget-burn", "edge-share", "budget-used"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """An alert that began or ended, `hour` of the day."""

    hour: float
    step: str
    name: str
    sentence: str

    @property
    def clock(self) -> str:
        """The time of day."""
        return _at(self.hour)


def replay(
    events: Sequence[Event] = EVENTS,
    *,
    start: float = 0.0,
    until: float = 24.0,
    before: float = 24.0,
    seed: int = SEED,
) -> list[Told]:
    """The alerts between two hours of the day, looked for every minute, after `before` quiet hours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        log, random = connect(path), Random(seed)
        begins, ends = round(start * 60), round(until * 60)
        clock = SettableClock(wall=MIDNIGHT + begins * 60.0)
        for minute in range(begins - round(before * 60), begins):
            write(log, [(None, tuple(_minute(minute, (), random)))])
        drift = Drift(clock=clock)
        monitor = ProductionMonitor(PLACES, budget=BUDGET, drift=drift, clock=clock)
        alerts = Alerts(rules_for(RULES))
        reader = LogReader(path)
        monitor.load(reader)
        drift.load(reader)
        told: list[Told] = []
        for minute in range(begins, ends):
            records = list(_minute(minute, events, random))
            write(log, [(None, tuple(records))])
            clock.advance(60.0)
            for record in records:
                monitor.observe(record)
            drift.look(reader)
            changes = alerts.look(lambda window: figures_of(monitor, window), clock.wall())
            told += [_told(change, (minute + 1) / 60) for change in changes]
        reader.close()
        log.close()
        return told


def unexplained(told: Sequence[Told], events: Sequence[Event] = EVENTS) -> list[Told]:
    """What began and belongs to no event of that time, or began once more."""
    began = [t for t in told if t.step == "began"]
    names = [t.name for t in began]
    return [
        t
        for place, t in enumerate(began)
        if t.name in names[:place] or not any(t.name in e.alerts and e.on(t.hour) for e in events)
    ]


def missing(told: Sequence[Told], events: Sequence[Event] = EVENTS) -> list[str]:
    """What should have begun, and did not."""
    began = {t.name for t in told if t.step == "began"}
    return [name for event in events for name in event.alerts if name not in began]


def page(told: Sequence[Told], seconds: float) -> str:
    """The day as a page of the documentation."""
    lines = [
        "# A monitored day",
        "",
        f"A seeded day of {A_DAY:,} requests, replayed in {seconds:.0f} s of CPU through the real monitor,",
        "the real watch over drift and the real alerts, which are looked for every minute:",
        "`python -m benchmarks.day --write docs/benchmarks/monitored-day.md`. The gateway starts at",
        "midnight, on the log of a quiet day. Alerts are the defaults, but `latency` at 5 s and `cost` at",
        "$0.0004, as fits this traffic; the budget is $9 a day. Prompts themselves do not change:",
        "`drift-prompts` has no part in it.",
        "",
        "| event | from | to | what happens | should bring |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {e.name} | {_at(e.begins)} | {_at(e.ends)} | {e.what} | `{'`, `'.join(e.alerts)}` |"
        for e in EVENTS
    ]
    lines += ["", "## What came", "", "| time | alert | | figure |", "|---|---|---|---|"]
    lines += [f"| {t.clock} | `{t.name}` | {t.step} | {t.sentence} |" for t in told]
    lines += [
        "",
        f"Beside them: {', '.join(t.name for t in unexplained(told)) or 'none'}. "
        f"Missing: {', '.join(missing(told)) or 'none'}.",
        "The same day without its events brings no alert at all. `tests/benchmarks/test_day.py` holds both.",
        "",
    ]
    return "\n".join(lines)


def _minute(minute: int, events: Sequence[Event], random: Random) -> Iterator[Record]:
    """What ends in a minute of the day."""
    hour = minute / 60
    on = {event.name for event in events if event.on(hour)}
    busy = 1.3 if 8.0 <= hour % 24 < 20.0 else 0.7
    expected = A_DAY / 1440 * busy
    count = int(expected) + (random.random() < expected % 1)
    for number in range(count + (JOB_A_MINUTE if "runaway job" in on else 0)):
        is_job = number >= count
        name = "gpt" if is_job or random.random() < CLOUD else "phi"
        at = MIDNIGHT + minute * 60.0 + 60.0 * (number + 1) / (count + JOB_A_MINUTE + 1)
        usd = 0.0
        if name == "gpt":
            usd = JOB_USD if is_job else USUAL_USD * (3.0 if "price change" in on else 1.0)
        good = 0.62 if name == "phi" and "drift" in on else GOOD
        yield from _story(name, at, usd, good, failed=name == "gpt" and "outage" in on, random=random)


def _story(  # noqa: PLR0913 - what a minute decides of a request
    name: str, at: float, usd: float, good: float, *, failed: bool, random: Random
) -> Iterator[Record]:
    """A request from its decision to what somebody thought of it."""
    identity = f"req_{int(at * 1000):012x}{random.getrandbits(80):020x}"
    took = 0.1 if failed else MEDIAN_S[name] * random.lognormvariate(0.0, 0.4)
    middle = MEDIAN_S[name]
    forecast = Forecast(
        quality=Estimate(GOOD, GOOD - 0.05, 1.0),
        latency_s=Estimate(middle * 1.083, middle * 0.6, middle / 0.6),
    )
    yield Decision(
        id=identity,
        at=at - took,
        chosen=name,
        location=PLACES[name],
        policy="bundle:day",
        reason="best_utility",
        propensity=1.0,
        odds={"phi": float(name == "phi"), "gpt": float(name == "gpt")},
        shortlist=("phi", "gpt"),
        forecasts={name: forecast},
    )
    status: Any = "error" if failed else "ok"
    cost: dict[str, Any] = {"cost_usd": 0.0 if failed else usd, "cost_state": "billed"}
    attempt = Attempt(candidate=name, status=status, started_s=0.001, latency_s=took, **cost)
    yield Outcome(
        decision_id=identity, at=at, status=status, candidate=name, latency_s=took + 0.002,
        attempts=(attempt,), **cost,
    )  # fmt: skip
    if not failed and random.random() < HEARD:
        thumbs: Any = "up" if random.random() < good else "down"
        yield Feedback(id=f"fb_{identity}", decision_id=identity, at=at, thumbs=thumbs)


def _told(change: Change, hour: float) -> Told:
    return Told(hour, change.step, change.alert.name, change.alert.sentence)


def _at(hour: float) -> str:
    hours, minutes = divmod(round(hour * 60), 60)
    return f"{hours:02d}:{minutes:02d}"


def main() -> None:
    """Replay the day, and tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, help="the page to write")
    wanted = options.parse_args()
    began = process_time()
    told = replay()
    text = page(told, process_time() - began)
    if wanted.write is not None:
        wanted.write.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
