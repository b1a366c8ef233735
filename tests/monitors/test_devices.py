from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.monitors.trees import tree

from edgewise.domain.protocols import Monitor
from edgewise.domain.signals import Reading
from edgewise.monitors import check_monitor
from edgewise.monitors.gpu import Gpu
from edgewise.monitors.link import Link
from edgewise.monitors.metered import Metered, network_manager
from edgewise.monitors.power import Power
from edgewise.monitors.pressure import Pressure
from edgewise.monitors.temperature import Temperature


def values(monitor: Monitor) -> dict[str, float | None]:
    return {reading.name: reading.value for reading in check_monitor(monitor)}


@pytest.mark.parametrize("monitor", [Pressure(), Gpu(), Link(), Power(), Temperature(), Metered()])
def test_on_this_machine_they_say_something_sound_or_nothing(monitor: Monitor) -> None:
    check_monitor(monitor)


def test_pressure(tmp_path: Path) -> None:
    line = "some avg10={} avg60=1.00 avg300=2.00 total=3\nfull avg10=90.00 avg60=0.00 avg300=0.00 total=0\n"
    tree(tmp_path, {"cpu": line.format("63.35"), "io": line.format("0.00"), "memory": "something new\n"})
    assert values(Pressure(tmp_path)) == {"pressure_cpu": pytest.approx(0.6335), "pressure_io": 0.0}
    assert values(Pressure(tmp_path / "none")) == {}


# --- graphics processors ---


class Refused(Exception):
    pass


class Nvml:
    """Processors as (utilisation in per cent or None, free bytes or None, all bytes)."""

    NVMLError = Refused

    def __init__(self, *devices: tuple[int | None, int | None, int], driver: bool = True) -> None:
        self.devices = devices
        self.driver = driver
        self.begun = 0

    def nvmlInit(self) -> None:  # noqa: N802 - NVIDIA's name
        if not self.driver:
            raise Refused
        self.begun += 1

    def nvmlShutdown(self) -> None:  # noqa: N802 - NVIDIA's name
        if not self.driver:
            raise Refused

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVIDIA's name
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802 - NVIDIA's name
        return index

    def nvmlDeviceGetUtilizationRates(self, device: int) -> Any:  # noqa: N802 - NVIDIA's name
        if not self.driver or self.devices[device][0] is None:
            raise Refused
        return SimpleNamespace(gpu=self.devices[device][0])

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:  # noqa: N802 - NVIDIA's name
        _, free, total = self.devices[device]
        if not self.driver or free is None:
            raise Refused
        return SimpleNamespace(free=free, total=total)


def test_of_several_processors_the_busiest_and_the_roomiest_count() -> None:
    found = values(Gpu(Nvml((90, 100, 1000), (10, 600, 800))))
    assert found == {"gpu": 0.9, "gpu_memory_free": 600.0, "gpu_memory": 0.25}


def test_what_a_processor_does_not_tell_is_left_out() -> None:
    assert set(values(Gpu(Nvml((50, None, 0))))) == {"gpu"}
    assert set(values(Gpu(Nvml((None, 5, 10))))) == {"gpu_memory", "gpu_memory_free"}
    assert values(Gpu(Nvml())) == {}


def test_a_driver_that_goes_and_comes_back() -> None:
    library = Nvml((50, 5, 10), driver=False)
    gpu = Gpu(library)
    assert values(gpu) == {}
    library.driver = True
    assert values(gpu)["gpu"] == 0.5
    library.driver = False
    assert values(gpu) == {}
    library.driver = True
    assert values(gpu)["gpu"] == 0.5
    assert library.begun == 2


def test_without_the_extra_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert values(Gpu()) == {}


# --- battery and mains ---


def supply(name: str, **files: str) -> dict[str, str]:
    return {f"{name}/{file}": text for file, text in files.items()}


def test_two_batteries_count_by_what_they_hold(tmp_path: Path) -> None:
    big = supply("BAT0", type="Battery", energy_now="30000000", energy_full="60000000", capacity="50")
    small = supply("BAT1", type="Battery", energy_now="20000000", energy_full="20000000", capacity="100")
    mouse = supply("hid", type="Battery", scope="Device", capacity="3")
    tree(tmp_path, big | small | mouse | supply("AC", type="Mains", online="0"))
    assert values(Power(tmp_path)) == {"battery": 0.625, "mains": 0.0}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (supply("B", type="Battery", capacity="40", status="Discharging"), {"battery": 0.4, "mains": 0.0}),
        (supply("B", type="Battery", capacity="40", status="Charging"), {"battery": 0.4, "mains": 1.0}),
        (supply("B", type="Battery", capacity="40", status="Unknown"), {"battery": 0.4}),
        (supply("B", type="Battery", charge_now="1", charge_full="4"), {"battery": 0.25}),
        (supply("B", type="Battery", charge_now="1", charge_full="0"), {}),
        (supply("B", type="Battery", capacity="104"), {"battery": 1.0}),
        (supply("AC", type="Mains", online="1") | supply("U", type="USB", online="0"), {"mains": 1.0}),
        (supply("B", type="Battery", capacity="full"), {}),
        ({}, {}),
    ],
)
def test_supplies(tmp_path: Path, files: dict[str, str], expected: dict[str, float]) -> None:
    assert values(Power(tree(tmp_path / "supplies", files))) == expected


Battery = namedtuple("Battery", "percent power_plugged")  # noqa: PYI024 - what psutil gives is one


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (Battery(55, 1), {"battery": 0.55, "mains": 1.0}),
        (Battery(55, None), {"battery": 0.55}),
        (None, {}),
    ],
)
def test_elsewhere_psutil_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, battery: Battery | None, expected: dict[str, float]
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery)
    assert values(Power(tmp_path / "none")) == expected


# --- temperature ---


def test_only_the_processors_sensors_count(tmp_path: Path) -> None:
    zones = {
        "thermal_zone0/type": "acpitz",
        "thermal_zone0/temp": "99000",
        "thermal_zone1/type": "x86_pkg_temp",
        "thermal_zone1/temp": "61500",
        "thermal_zone2/type": "cpu-thermal",
        "thermal_zone2/temp": "-273000",
        "cooling_device0/type": "Processor",
    }
    tree(tmp_path / "t", zones)
    assert values(Temperature(tmp_path / "t", tmp_path / "h")) == {"temperature": 61.5}


def test_without_zones_the_chips_tell(tmp_path: Path) -> None:
    chips = {
        "hwmon0/name": "k10temp",
        "hwmon0/temp1_input": "50125",
        "hwmon0/temp2_input": "70000",
        "hwmon1/name": "iwlwifi",
        "hwmon1/temp1_input": "90000",
    }
    tree(tmp_path / "h", chips)
    assert values(Temperature(tmp_path / "t", tmp_path / "h")) == {"temperature": 70.0}
    assert values(Temperature(tmp_path / "t", tmp_path / "none")) == {}


# --- link ---

ROUTES = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
ROUTE = "{}\t00000000\t010200C0\t{}\t0\t0\t0\t00000000\t0\t0\t0\n"
LOCAL = "{}\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
LINK_LOCAL = "{}\t0000FEA9\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
ZERO, FE80 = "0" * 32, "fe80" + "0" * 28
ROUTE6 = f"{ZERO} 00 {ZERO} 00 fe800000000000000000000000000001 00000400 00000001 00000000 {{1}} {{0:>8}}\n"


def link(tmp_path: Path, route: str, route6: str = "", **interfaces: str) -> Link:
    tree(tmp_path / "net", {"route": ROUTES + route, "ipv6_route": route6})
    for name, state in interfaces.items():
        tree(tmp_path / "dev" / name, {"operstate": state} | ({"carrier": "0"} if state == "down" else {}))
    return Link(tmp_path / "net", tmp_path / "dev")


@pytest.mark.parametrize(
    ("route", "route6", "state", "up"),
    [
        (ROUTE.format("eth0", "0003"), "", "up", True),
        (ROUTE.format("eth0", "0003"), "", "unknown", True),
        (ROUTE.format("eth0", "0003"), "", "down", False),
        (ROUTE.format("eth0", "0003"), "", "dormant", False),
        (ROUTE.format("gone", "0003"), "", "up", False),
        (ROUTE.format("eth0", "0203"), "", "up", False),
        (LOCAL.format("eth0"), "", "up", True),
        (LINK_LOCAL.format("eth0"), "", "up", False),
        ("", ROUTE6.format("eth0", "00000003").replace(ZERO, FE80, 1), "up", False),
        ("", "", "up", False),
        (ROUTE.format("lo", "0003"), "", "up", False),
        (ROUTE.format("../eth0", "0003"), "", "up", False),
        ("", ROUTE6.format("eth0", "00000003"), "up", True),
        ("", ROUTE6.format("lo", "00200200"), "up", False),
        ("", ROUTE6.format("eth0", "00200200"), "up", False),
        ("", ROUTE6.format("eth0", "zzz"), "up", False),
    ],
)
def test_a_route_over_an_interface_that_is_up(
    tmp_path: Path, route: str, route6: str, state: str, up: bool
) -> None:
    (reading,) = check_monitor(link(tmp_path, route, route6, eth0=state))
    assert (reading.value, reading.state) == ((1.0, None) if up else (0.0, "critical"))


Stats = namedtuple("Stats", "isup")  # noqa: PYI024 - what psutil gives is one


@pytest.mark.parametrize(("up", "expected"), [(True, {}), (False, {"link": 0.0})])
def test_elsewhere_only_the_absence_of_any_interface_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, up: bool, expected: dict[str, float]
) -> None:
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {"lo0": Stats(1), "en0": Stats(up)})
    assert values(Link(tmp_path / "none", tmp_path / "none")) == expected


# --- metered ---


@pytest.mark.parametrize(("answer", "expected"), [(None, None), (0, None), (1, 1), (2, 0), (3, 1), (4, 0)])
def test_what_network_manager_means(answer: int | None, expected: float | None) -> None:
    assert values(Metered(ask=lambda: answer)).get("metered") == expected


def test_what_the_configuration_says_needs_no_asking() -> None:
    def ask() -> int:
        raise AssertionError

    assert values(Metered(said=True, ask=ask)) == {"metered": 1.0}
    assert values(Metered(said=False, ask=ask)) == {"metered": 0.0}


def test_without_a_bus_or_the_extra_it_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert network_manager("SESSION") is None
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    assert network_manager("SESSION") is None
    monkeypatch.setitem(sys.modules, "jeepney", None)
    assert network_manager("SESSION") is None


DAEMON = Path("/usr/bin/dbus-daemon")
needs_bus = pytest.mark.skipif(
    not DAEMON.exists() or importlib.util.find_spec("jeepney") is None,
    reason="needs dbus-daemon (apt-get install dbus-daemon) and the extra metered",
)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A message bus of our own, which stands for the system's."""
    called = [str(DAEMON), "--session", "--nofork", "--print-address"]
    with subprocess.Popen(called, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        daemon.terminate()


@needs_bus
def test_a_bus_without_network_manager(bus: str) -> None:
    assert network_manager("SESSION") is None


@needs_bus
@pytest.mark.parametrize("metered", [0, 1, 4])
def test_network_manager_is_asked_over_the_bus(bus: str, metered: int) -> None:
    jeepney: Any = pytest.importorskip("jeepney")
    blocking: Any = pytest.importorskip("jeepney.io.blocking")
    asked: list[Any] = []
    with blocking.open_dbus_connection("SESSION") as service:
        blocking.Proxy(jeepney.message_bus, service).RequestName("org.freedesktop.NetworkManager")

        def serve() -> None:
            question = service.receive(timeout=30)
            while question.header.message_type is not jeepney.MessageType.method_call:
                question = service.receive(timeout=30)
            asked.append(question.body)
            service.send(jeepney.new_method_return(question, "v", (("u", metered),)))

        answering = threading.Thread(target=serve)
        answering.start()
        found = network_manager("SESSION")
        answering.join(30)
    assert asked == [("org.freedesktop.NetworkManager", "Metered")]
    assert found == metered


# --- whatever the files hold ---

FILES = [
    "cpu", "io", "memory", "B/type", "B/capacity", "B/energy_now", "B/energy_full", "B/status", "A/type",
    "A/online",
    "thermal_zone0/type", "thermal_zone0/temp", "hwmon0/name", "hwmon0/temp1_input", "route", "ipv6_route",
    "eth0/operstate", "eth0/carrier",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(
        ["Battery", "Mains", "x86_pkg_temp", "some avg10=nan", "some avg10=", "1e999", "-5", "0"]
    ),
    st.integers(-(10**12), 10**12).map(str),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), TEXTS))
def test_no_content_of_a_file_breaks_a_monitor_or_invents_a_share(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    root = tree(tmp_path_factory.mktemp("any"), files)
    monitors: list[Monitor] = [Pressure(root), Power(root), Temperature(root, root), Link(root, root)]
    readings: list[Reading] = [reading for monitor in monitors for reading in check_monitor(monitor)]
    for reading in readings:
        if reading.unit == "share":
            assert reading.value is not None
            assert 0.0 <= reading.value <= 1.0
