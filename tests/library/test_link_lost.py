"""The link is taken away and given back: seen, survived, and seen again. Real sockets, no clock of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.link import Link, link_to
from tests.servers import mock_upstream

from edgewise import Router, Situation
from edgewise.domain.decisions import Odds
from edgewise.domain.errors import UpstreamError

EDGE: dict[str, Any] = {"id": "phi", "location": "edge", "script": {"replies": ["From the edge."]}}
PATIENCE_S = 30.0  # how long a slow machine may take; the figures are in docs/benchmarks.md


class CloudFirst:
    """The cloud, wherever it may answer."""

    name = "cloud first"

    def odds(self, situation: Situation) -> Odds:
        shortlist = situation.shortlist
        return Odds.certain(shortlist.at("cloud") or shortlist.candidates[0], shortlist)


@pytest.fixture
def link() -> Iterator[Link]:
    with mock_upstream() as mock, link_to(mock.port) as link:
        yield link


@pytest.fixture(autouse=True)
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.setenv("EDGEWISE_SIGNALS", "on")


def until(router: Router, wanted: str) -> list[str]:
    """Ask until `wanted` answers; who answered, or failed, up to then. What was in vain had a plain error."""
    found: list[str] = []
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            found.append(router.ask("Hello?").reply().decision.chosen)
        except UpstreamError:
            found.append("failed")
        if found[-1] == wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{wanted} did not answer within {PATIENCE_S} s: {found}")


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_offline_is_seen_and_survived_and_so_is_the_way_back(link: Link, how: str) -> None:
    cloud = {
        "id": "gpt",
        "location": "cloud",
        "url": f"http://127.0.0.1:{link.port}/v1",
        "price": {"input": 1.0, "output": 1.0},
    }
    with Router([EDGE, cloud], policy=CloudFirst()) as router:
        assert until(router, "gpt")[-1] == "gpt"
        getattr(link, how)()
        assert set(until(router, "phi")) <= {"failed", "phi"}
        after = [router.ask("Still there?").reply() for _ in range(3)]
        assert {reply.decision.chosen for reply in after} == {"phi"}
        assert {reply.decision.reason for reply in after} <= {"fallback", "offline"}
        assert after[-1].decision.reason == "offline"  # by now it is known, and not tried in vain
        assert any(o.rule == "connectivity" for o in after[-1].decision.objections)
        assert router.signals["online:gpt"].state == "critical"
        link.open()
        assert set(until(router, "gpt")) <= {"phi", "gpt"}
        assert router.signals["online:gpt"].state != "critical"
