"""`/metrics` of a gateway that has answered."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.monitors.metrics import HELP

ASKED = {"model": "tiny", "messages": [{"role": "user", "content": "sesame-prompt"}]}


def numbers(running: Running) -> dict[str, float]:
    status, text = running.get("/metrics")
    assert status == 200
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(number) for name, _, number in pairs}


def test_a_request_is_counted_when_it_has_ended(running: Running) -> None:
    before = numbers(running)
    assert running.post("/v1/chat/completions", ASKED)[0] == 200
    after = numbers(running)
    name = 'edgewise_attempts_total{candidate="tiny",location="edge",outcome="ok"}'
    assert after[name] == before[name] + 1
    grown = [n for n in after if n.startswith("edgewise_requests_total") and after[n] != before.get(n, 0)]
    (path,) = grown
    assert 'candidate="tiny",location="edge",policy="complexity",reason="pinned",outcome="ok"' in path


def test_the_page_says_how_the_process_stands_and_no_word_of_a_client(running: Running) -> None:
    running.post("/v1/chat/completions", {**ASKED, "edgewise": {"session": "sesame-session"}})
    with urllib.request.urlopen(running.url + "/metrics", timeout=60) as response:
        kind, text = response.headers["content-type"], response.read().decode()
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert "sesame" not in text
    assert "sk-canary" not in text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert set(HELP) - told <= {"edgewise_budget_usd", "edgewise_signal"}  # neither is there here
    assert told <= set(HELP)
    assert "edgewise_ready 1" in text
    assert 'edgewise_alert{alert="latency"} 0' in text


def test_an_operator_may_want_no_such_page(mock: Mock, tmp_path: Path) -> None:
    config = two_candidates(mock, "[monitor]\nmetrics = false")
    with gateway(tmp_path, config) as running:
        status, answer = running.get("/metrics")
    assert (status, answer["error"]["code"]) == (404, "unknown_url")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_it_is_read_only(running: Running, method: str) -> None:
    status, answer = running.send(method, "/metrics", json.dumps({}).encode())
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")
