from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.servers import Mock, Running, gateway, mock_upstream

# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", settings.get_profile("whole"), max_examples=30)


def pytest_configure(config: pytest.Config) -> None:
    """Laws get all their examples in `make test-all`, and a third of them in `make test`."""
    settings.load_profile("short" if config.option.markexpr == "not slow" else "whole")


@pytest.fixture(scope="session", autouse=True)
def no_signals() -> Iterator[None]:
    """How busy the machine that runs the tests is decides nothing, here and in what is started from here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWISE_SIGNALS", "off")
        yield


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """What is started from here hears Ctrl-C, even where a shell started the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def mock() -> Iterator[Mock]:
    with mock_upstream() as running:
        yield running


def two_candidates(mock: Mock, more: str = "") -> str:
    """A configuration with an edge and a cloud that are both the mock."""
    return f"""
{more}
[[candidates]]
id = "tiny"
location = "edge"
url = "{mock.url}"
model = "tiny-1"
context_tokens = 8192
[[candidates]]
id = "giant"
location = "cloud"
url = "{mock.url}"
model = "giant-9"
context_tokens = 128000
vision = true
api_key_env = "GIANT_KEY"
price = {{ input = 1.0, output = 2.0 }}
"""


@pytest.fixture(scope="module")
def shared_mock() -> Iterator[Mock]:
    with mock_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def running(shared_mock: Mock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for a module's tests; they tell the shared mock what to answer."""
    home = tmp_path_factory.mktemp("home")
    config = two_candidates(shared_mock, "[policy]\nexplore = 0.0\n[server]\nmax_body_bytes = 1000000")
    with gateway(home, config, env={"GIANT_KEY": "sk-canary"}) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh_mock(request: pytest.FixtureRequest) -> None:
    """Give the shared mock its defaults back before each test."""
    if "shared_mock" in request.fixturenames or "running" in request.fixturenames:
        mock: Mock = request.getfixturevalue("shared_mock")
        fresh = Mock()
        for name in ("plain", "events", "status", "headers", "pause_s"):
            setattr(mock, name, getattr(fresh, name))
        mock.calls.clear()


def home_of(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "EDGEWISE_HOME": str(tmp_path)}
