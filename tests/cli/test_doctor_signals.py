from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from edgewise.cli import doctor, doctor_signals
from edgewise.cli.doctor_signals import look
from edgewise.domain.signals import Reading
from edgewise.monitors import Watch
from edgewise.settings.schema import CustomSettings, Settings, SignalsSettings


class Says:
    def __init__(self, *readings: Reading | Exception) -> None:
        self.readings = readings

    def read(self) -> Iterable[Reading]:
        for reading in self.readings:
            if isinstance(reading, Exception):
                raise reading
            yield reading


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_signals, "APART_S", 0.0)


def says(monkeypatch: pytest.MonkeyPatch, *readings: Reading | Exception) -> None:
    monkeypatch.setattr("edgewise.monitors.watches_for", lambda _: (Watch("mine", Says(*readings)),))


def test_what_is_known_and_what_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    says(
        monkeypatch,
        Reading("cpu", 0.123, "share", "x"),
        Reading("memory_free", 3 * 2**29, "bytes", "x"),
        Reading("mains", 0.0, "yes or no", "x"),
        Reading("link", 1.0, "yes or no", "x"),
        Reading("temperature", 61.52, "°C", "x"),
        Reading("battery", None, "share", "x"),
    )
    assert look(Settings(), driver=tmp_path / "none") == (
        "cpu 12%, memory_free 1.5 GiB, mains no, link yes, temperature 61.5 °C. "
        "Unknown: memory, load, pressure_cpu, gpu, battery, metered.",
        "",
    )


def test_what_is_critical_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, Reading("memory", 0.99, "share", "x"))
    found, mend = look(Settings())
    assert found.startswith("Critical: memory. memory 99%.")
    assert "[signals.levels]" in mend
    check = doctor._signals(Settings())
    assert (check.name, check.state) == ("signals", "warn")


def test_a_driver_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    says(monkeypatch, Reading("memory", 0.1, "share", "x"))
    (tmp_path / "version").touch()
    monkeypatch.setattr(doctor_signals, "find_spec", lambda _: None)
    assert "edgewise[gpu]" in look(Settings(), driver=tmp_path / "version").mend
    assert look(Settings(), driver=tmp_path / "none").mend == ""


def test_a_monitor_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, OSError("secret path"))
    found, mend = look(Settings())
    assert found == "The monitor mine fails (OSError)."
    assert "off = ['mine']" in mend


def test_a_monitor_that_nobody_offers_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEWISE_SIGNALS")
    settings = Settings(signals=SignalsSettings(custom=(CustomSettings("nowhere-to-be-found"),)))
    check = doctor._signals(settings)
    assert check.state == "fail"
    assert "nowhere-to-be-found" in check.found


def test_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(Settings()).found == "No monitor is on."
    monkeypatch.delenv("EDGEWISE_SIGNALS")
    assert "memory_free" in look(Settings()).found
