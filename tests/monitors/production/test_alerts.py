from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError
from edgewise.monitors.production import Alerts, Figures
from edgewise.settings import Settings, check, load
from edgewise.settings.alerts import DEFAULTS, LOW_IS_BAD, Rule, rules_for
from edgewise.settings.levels import Band
from edgewise.settings.monitoring import AlertSettings, MonitorSettings

PAGE = Path(__file__).parents[3] / "docs" / "monitoring.md"
LATENCY = Rule("latency", "p95_s", "5m", Band(0.150, 0.135), 50)


def figures(window: str = "5m", samples: int = 100, requests: int = 100, **values: Any) -> Figures:
    empty = dict.fromkeys(field for field in Figures.__struct_fields__)
    counted: dict[str, Any] = {"window": window, "requests": requests, "spent_usd": 0.0, "unpriced": 0}
    return Figures(**{**empty, **counted, "samples": dict.fromkeys(LOW_IS_BAD, samples), **values})


def steps(alerts: Alerts, *values: float | None, samples: int = 100, requests: int = 100) -> list[str]:
    told: list[str] = []
    for at, value in enumerate(values):
        found = figures(p95_s=value, samples=samples, requests=requests)
        told += [f"{change.step} {at}" for change in alerts.look({"5m": found}.__getitem__, float(at))]
    return told


def test_the_published_limits_are_the_defaults() -> None:
    limits = {rule.figure: rule.band.enter for rule in DEFAULTS}
    published = {"edge_share": 0.80, "quality": 0.85, "cost_per_query": 0.01, "p95_s": 0.150}
    assert published.items() <= limits.items()
    assert all(rule.band.low_is_bad == LOW_IS_BAD[rule.figure] for rule in DEFAULTS)


def test_an_alert_begins_once_lasts_and_ends_beyond_its_leave() -> None:
    alerts = Alerts([LATENCY])
    assert steps(alerts, 0.10, 0.149, 0.16, 0.14, 0.151, 0.136) == ["began 2"]
    (standing,) = alerts.standing
    assert (standing.first_at, standing.last_at, standing.value) == (2.0, 5.0, 0.136)
    assert "95th percentile of latency over 5m is 0.136 s; the limit is 0.15 s (100" in standing.sentence
    assert steps(alerts, 0.134) == ["ended 0"]
    assert not alerts.standing


@given(st.lists(st.floats(0.1351, 0.1499), max_size=40), st.booleans())
def test_noise_between_the_two_limits_changes_nothing(values: list[float], was_bad: bool) -> None:
    alerts = Alerts([LATENCY])
    steps(alerts, 0.2 if was_bad else 0.1)
    assert steps(alerts, *values) == []
    assert bool(alerts.standing) == was_bad


def test_too_few_samples_neither_begin_nor_end_an_alert() -> None:
    alerts = Alerts([LATENCY])
    assert steps(alerts, 9.0, samples=49) == []
    assert steps(alerts, 9.0) == ["began 0"]
    assert steps(alerts, 0.01, None, samples=49) == []
    assert alerts.standing
    assert steps(alerts, None, samples=0, requests=0) == ["ended 0"]


def test_what_stood_before_a_restart_goes_on_and_stays_acknowledged() -> None:
    first = Alerts([LATENCY])
    steps(first, 0.2)
    assert first.acknowledge("latency", 7.0)
    assert first.acknowledge("latency", 8.0)
    assert not first.acknowledge("errors", 8.0)
    after = Alerts([LATENCY], first.standing)
    assert steps(after, 0.14) == []
    assert after.standing[0].acknowledged_at == 7.0
    assert steps(after, 0.1, 0.2) == ["ended 0", "began 1"]
    assert after.standing[0].acknowledged_at is None
    assert Alerts([], first.standing).standing == ()


def test_settings_change_a_default_turn_it_off_and_add_one() -> None:
    given = (
        AlertSettings("latency", above=3.0),
        AlertSettings("edge-share", enabled=False),
        AlertSettings("slowest", figure="p99_s", above=10.0, window="24h"),
    )
    check(Settings(alerts=given))
    rules = {rule.name: rule for rule in rules_for(given)}
    assert rules["latency"] == Rule("latency", "p95_s", "5m", Band(3.0, 3.0 * 0.9), 50)
    assert "edge-share" not in rules
    assert rules["slowest"] == Rule("slowest", "p99_s", "24h", Band(10.0, 9.0), 30)
    assert rules_for(()) == DEFAULTS


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (AlertSettings("x"), "alerts[0].figure is missing"),
        (AlertSettings("X y", figure="p95_s", above=1.0), "alerts[0].name"),
        (AlertSettings("x", figure="p95"), 'alerts[0].figure is "p95"'),
        (AlertSettings("x", figure="p95_s"), "alerts[0].above is missing"),
        (AlertSettings("x", figure="p95_s", below=1.0), "alerts[0].below has no effect"),
        (AlertSettings("x", figure="quality", below=0.5, leave=0.4), "alerts[0].leave is 0.4"),
        (AlertSettings("x", figure="p95_s", above=1.0, leave=1.0), "alerts[0].leave is 1.0"),
        (AlertSettings("latency", above=-1.0), "alerts[0].above"),
        (AlertSettings("latency", least=0), "alerts[0].least is 0"),
        (AlertSettings("latency", figure="quality"), "alerts[0].below is missing"),
    ],
)
def test_an_alert_that_cannot_work_is_refused(alert: AlertSettings, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check(Settings(alerts=(alert,)))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"webhook": "http://127.0.0.1:1/x"}, "monitor.secret_env is missing"),
        ({"webhook": "http://me:secret@host/x", "secret_env": "S"}, "monitor.webhook has a secret in it"),
        ({"webhook": "file:///etc/passwd", "secret_env": "S"}, "monitor.webhook does not begin with http"),
        ({"secret_env": "not a name"}, "monitor.secret_env is not the name"),
        ({"every_s": 0.5}, "monitor.every_s is 0.5"),
        ({"command": (" ",)}, "monitor.command[0]"),
    ],
)
def test_a_delivery_that_cannot_work_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check(Settings(monitor=msgspec.structs.replace(MonitorSettings(), **given)))
    assert said in str(refused.value)


def test_the_page_lists_the_defaults_and_its_example_loads(tmp_path: Path) -> None:
    page = PAGE.read_text()
    for rule in DEFAULTS:
        begins, ends = ("≤", "≥") if rule.band.low_is_bad else ("≥", "≤")
        assert (
            f"| `{rule.name}` | `{rule.figure}` | {rule.window} | {begins} {rule.band.enter:g} "
            f"| {ends} {rule.band.leave:g} | {rule.least} |"
        ) in page
    for number, example in enumerate(re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)):
        file = tmp_path / f"{number}.toml"
        file.write_text(example)
        assert rules_for(load(file, {}).alerts) != DEFAULTS or load(file, {}).monitor != MonitorSettings()
