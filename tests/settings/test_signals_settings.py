from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError
from edgewise.settings import load
from edgewise.settings.levels import LEVELS, PLAIN, Band, Level, level_of
from edgewise.settings.schema import LevelSettings


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('off = ["gpux"]', r'signals.off\[0\] is "gpux"; expected a monitor: .*\(did you mean gpu\?\)'),
        ("intervals = { gpu = 0 }", "signals.intervals.gpu is 0.0; expected a number of seconds above 0"),
        ("intervals = { tide = 1 }", "signals.intervals.tide is about no monitor; expected a monitor"),
        ('custom = [{ name = "gpu" }]', r'custom\[0\].name is "gpu"; expected a name that no other monitor'),
        ("levels.cpu.constrained_leave = 0.8", "cpu.constrained_leave is 0.8; expected a number other than"),
        ("levels.cpu.critical = 0.5", r"cpu.critical is 0.5; expected a number above constrained \(0.8\)"),
        ("levels.battery.critical = 0.4", r"battery.critical is 0.4; expected a number below constrained"),
        ("levels.cpu.critical_leave = 0.5", "cpu.critical_leave has no effect; expected critical beside it"),
        ("levels.cpu.constrained = inf", "levels.cpu.constrained is not finite"),
        ("levels.cpu.dwell_s = -1", "levels.cpu.dwell_s is -1.0; expected a number of 0 or more"),
        ("levels.cpu.dwell = 1", "levels.cpu.dwell is not a setting; did you mean .*cpu.dwell_s"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said_in_a_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(f"[signals]\n{text}\n")
    with pytest.raises(SettingsError, match=complaint):
        load(file, {})


def test_the_defaults_keep_their_own_rules() -> None:
    for name, level in LEVELS.items():
        for band in (level.constrained, level.critical):
            assert band is None or band.enter != band.leave, name
        if level.constrained and level.critical:
            assert level.constrained.low_is_bad == level.critical.low_is_bad, name


def test_the_published_defaults() -> None:
    published = {"cpu": 0.80, "memory": 0.85, "gpu": 0.85}
    for name, enter in published.items():
        constrained = LEVELS[name].constrained
        assert constrained is not None
        assert constrained.enter == enter
    assert LEVELS["gpu"].critical is not None
    assert LEVELS["gpu"].critical.enter == 0.95


def test_what_is_not_given_stays() -> None:
    assert level_of("cpu", {"cpu": LevelSettings(dwell_s=60)}) == Level(
        constrained=Band(0.8, 0.7), dwell_s=60, smoothing_s=3.0
    )
    battery = level_of("battery", {"battery": LevelSettings(constrained=0.5)}).constrained
    assert battery is not None
    assert battery.leave == pytest.approx(battery.enter * 0.35 / 0.30)
    assert level_of("tide", {"tide": LevelSettings(constrained=2.0)}).constrained == Band(2.0, 1.8)
    assert level_of("tide") is PLAIN


@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(-1, 2))
def test_whoever_enters_a_state_keeps_it(enter: float, leave: float, value: float) -> None:
    band = Band(enter, leave)
    if band.holds(value, already=False) and enter != leave:
        assert band.holds(value, already=True)
