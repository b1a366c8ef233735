from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.domain.signals import Reading
from edgewise.monitors import Watch, board_for, check_monitor, watches_for
from edgewise.settings.schema import CustomSettings, LevelSettings, SignalsSettings
from edgewise.settings.signals import INTERVALS


class Tide:
    """Somebody else's monitor."""

    def __init__(self, *, metres: float = 1.0) -> None:
        self.metres = metres

    def read(self) -> Iterable[Reading]:
        return [Reading("tide", self.metres, "m", "gauge")]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user has it; the tests' own environment keeps the monitors off."""
    monkeypatch.delenv("EDGEWISE_SIGNALS", raising=False)


@pytest.fixture
def tide_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("tide", f"{__name__}:Tide", "edgewise.monitors")
    monkeypatch.setattr(EntryPoint, "load", lambda _: Tide)

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        return [point] if group == "edgewise.monitors" and name in (None, "tide") else []

    monkeypatch.setattr("edgewise.settings.plugins.entry_points", entry_points)


@pytest.mark.usefixtures("on")
def test_all_of_ours_are_on_unless_switched_off() -> None:
    assert {w.name: w.interval_s for w in watches_for(SignalsSettings())} == INTERVALS
    settings = SignalsSettings(off=("gpu", "metered"), intervals={"machine": 0.5})
    kept = {w.name: w.interval_s for w in watches_for(settings)}
    assert kept == {name: s for name, s in (INTERVALS | {"machine": 0.5}).items() if name not in settings.off}
    assert watches_for(SignalsSettings(enabled=False)) == ()


@pytest.mark.usefixtures("on", "tide_is_installed")
def test_monitors_of_others_by_name() -> None:
    settings = SignalsSettings(
        off=tuple(INTERVALS),
        custom=(CustomSettings("tide", {"metres": 4.0}),),
        levels={"tide": LevelSettings(constrained=3.0)},
    )
    board = board_for(settings)
    board.sample()
    assert {n: (s.value, s.state) for n, s in board.read().items()} == {"tide": (4.0, "constrained")}
    with pytest.raises(SettingsError, match=r"signals.custom\[0\].name is 'ebb', and no installed package"):
        watches_for(SignalsSettings(custom=(CustomSettings("ebb"),)))


@pytest.mark.parametrize("watched", [True, False])
def test_monitors_of_the_caller(watched: bool) -> None:
    board = board_for(SignalsSettings(enabled=False), [Watch("tide", Tide())] if watched else [Tide()])
    board.sample()
    assert board.read()["tide"].source == "gauge"


def test_the_environment_switches_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_SIGNALS", "off")
    assert watches_for(SignalsSettings()) == ()


class Wrong:
    def __init__(self, *readings: Reading) -> None:
        self.readings = readings

    def read(self) -> Iterable[Reading]:
        return self.readings


SOUND = Reading("tide", 1.0, "m", "gauge")


@pytest.mark.parametrize(
    ("readings", "complaint"),
    [
        ([Reading("Tide", 1.0, "m", "gauge")], "gave the name 'Tide'"),
        ([Reading("tide:", 1.0, "m", "gauge")], "gave the name 'tide:'"),
        ([Reading("tide", 1.0, " ", "gauge")], "without a unit"),
        ([Reading("tide", 1.0, "m", "")], "without a source"),
        ([Reading("tide", float("nan"), "m", "gauge")], "unknown is None"),
        ([Reading("tide", None, "m", "gauge", "normal")], "knows no tide and calls it normal"),
        ([Reading("tide", "1", "m", "gauge")], "is no number"),  # type: ignore[arg-type]  # on purpose
        ([Reading("tide", 1.0, "m", "gauge", "fine")], "the state 'fine'"),  # type: ignore[arg-type]  # on purpose
        ([SOUND, SOUND], "gave tide more than once"),
        (["tide"], "which is not a Reading"),
    ],
)
def test_check_monitor_finds(readings: list[Reading], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_monitor(Wrong(*readings))


def test_check_monitor_finds_a_unit_that_changes() -> None:
    units = iter(["m", "ft"])

    class Fickle:
        def read(self) -> Iterable[Reading]:
            return [Reading("tide", 1.0, next(units), "gauge")]

    with pytest.raises(AssertionError, match="in 'm' and then in 'ft'"):
        check_monitor(Fickle())


def test_check_monitor_gives_back_what_it_read() -> None:
    assert check_monitor(Wrong(SOUND, Reading("rtt_s:phi", None, "s", "calls"))) == (
        SOUND,
        Reading("rtt_s:phi", None, "s", "calls"),
    )
