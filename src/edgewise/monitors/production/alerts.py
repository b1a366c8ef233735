"""Alerts with a memory: each begins once, lasts, is acknowledged, and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from edgewise.monitors.production.wording import NOUNS, counted, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edgewise.monitors.production.figures import Figures
    from edgewise.settings.alerts import Rule

Step = Literal["began", "ended"]


class Alert(Struct, frozen=True):
    """One episode: which rule, since when, last seen when (unix seconds), and the figure then.

    `acknowledged_at` is when somebody said that they know; a new episode begins without it. `where` is the
    part of the traffic that it comes from, where that is known.
    """

    name: str
    figure: str
    window: str
    limit: float
    value: float
    samples: int
    first_at: float
    last_at: float
    acknowledged_at: float | None = None
    where: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, with the numbers."""
        where = f" It comes from {self.where}." if self.where else ""
        return (
            f"{NOUNS[self.figure]} over {self.window} is {said(self.figure, self.value)}; "
            f"the limit is {said(self.figure, self.limit)} ({counted(self.samples, 'sample')}).{where}"
        )


class Change(Struct, frozen=True):
    """An alert that has just begun or ended."""

    step: Step
    alert: Alert


class Alerts:
    """The standing alerts under `rules`; `standing` are those from before, which a restart must not forget.

    `look` is told the figures by window; what changed goes out, what stays does not.
    """

    def __init__(self, rules: Sequence[Rule], standing: Iterable[Alert] = ()) -> None:
        self._rules = tuple(rules)
        names = {rule.name for rule in rules}
        self._standing = {alert.name: alert for alert in standing if alert.name in names}

    @property
    def standing(self) -> tuple[Alert, ...]:
        """Those that have not ended, in the order of the rules."""
        return tuple(self._standing[r.name] for r in self._rules if r.name in self._standing)

    def look(self, figures: Callable[[str], Figures], now: float) -> list[Change]:
        """Compare every rule with the figures at `now` (unix seconds), and say what began or ended."""
        by_window: Mapping[str, Figures] = {
            window: figures(window) for window in {rule.window for rule in self._rules}
        }
        found = (self._compare(rule, by_window[rule.window], now) for rule in self._rules)
        return [change for change in found if change is not None]

    def acknowledge(self, name: str, now: float) -> bool:
        """Note that somebody knows; False where there is no such alert."""
        alert = self._standing.get(name)
        if alert is None:
            return False
        if alert.acknowledged_at is None:
            self._standing[name] = replace(alert, acknowledged_at=now)
        return True

    def _compare(self, rule: Rule, figures: Figures, now: float) -> Change | None:
        value: float | None = getattr(figures, rule.figure)
        samples = figures.samples[rule.figure]
        where = (figures.where or {}).get(rule.figure, "")
        before = self._standing.get(rule.name)
        if value is None or samples < rule.least:
            return self._quiet(before, figures, now)
        if not rule.band.holds(value, already=before is not None):
            return None if before is None else self._end(replace(before, value=value, samples=samples), now)
        if before is not None:
            self._standing[rule.name] = replace(
                before, value=value, samples=samples, last_at=now, where=where or before.where
            )
            return None
        alert = Alert(
            rule.name, rule.figure, rule.window, rule.band.enter, value, samples, now, now, where=where
        )
        self._standing[rule.name] = alert
        return Change("began", alert)

    def _quiet(self, before: Alert | None, figures: Figures, now: float) -> Change | None:
        """Too little to say: an alert stays as it was, until the whole window is empty."""
        if before is None or figures.requests or figures.samples[before.figure]:
            return None
        return self._end(before, now)

    def _end(self, alert: Alert, now: float) -> Change:
        del self._standing[alert.name]
        return Change("ended", replace(alert, last_at=now))
