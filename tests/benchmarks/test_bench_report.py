from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from benchmarks.beside_nginx import compared, interleaved
from benchmarks.findings import Finding
from benchmarks.load import Round
from benchmarks.report import save, table
from benchmarks.servers import NotReadyError, Server, answers, free_port, gateway_env, proxy

from benchmarks import alone, gateway, machine

if TYPE_CHECKING:
    from pathlib import Path


def rounds(*cpu_us: float, failed: int = 0) -> list[Round]:
    return [Round(served=100, failed=failed, seconds=1.0, cpu_ns=int(us * 100_000)) for us in cpu_us]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(3.3, "ambition reached"), (3.4, "reached"), (5.0, "reached"), (5.01, "MISSED")],
)
def test_a_verdict_is_the_value_against_its_limits(value: float, verdict: str) -> None:
    assert Finding("plain", value, "x", 5.0, 3.3).verdict == verdict


def test_a_ratio_is_of_medians() -> None:
    taken = {"nginx": rounds(20.0, 25.0, 90.0), "gateway": rounds(100.0, 75.0, 400.0)}
    found = compared("plain", "request", taken, target=5.0)
    assert found.value == 4.0
    assert found.verdict == "reached"
    assert "gateway 100.0 (75.0 to 400.0) us" in found.note


def test_failed_answers_make_a_run_invalid_whatever_its_ratio() -> None:
    taken = {"nginx": rounds(20.0), "gateway": rounds(1.0, failed=3)}
    found = compared("plain", "request", taken, target=5.0)
    assert found.verdict == "INVALID"
    assert "INVALID: plain: CPU a request, times nginx: 3 answers of gateway failed." in table([found])


def test_a_round_that_served_nothing_is_invalid() -> None:
    taken = {"nginx": rounds(20.0), "gateway": [Round(0, 0, 1.0, 5)]}
    assert compared("plain", "request", taken, target=5.0).verdict == "INVALID"


def test_servers_take_turns() -> None:
    asked: list[str] = []

    def load(server: Server) -> Round:
        asked.append(server.name)
        return Round(1, 0, 1.0, 1)

    interleaved([Server("nginx", 1, 1), Server("gateway", 2, 2)], load, 2)
    assert asked == ["nginx", "gateway", "nginx", "gateway"]


def test_results_are_saved_whole(tmp_path: Path) -> None:
    found = Finding("log", 4.5, "us", 10.0, details={"values": [4.0, 4.5, 5.0]})
    told = json.loads(save(tmp_path / "results", [found], {"cpu": "x"}).read_text())
    assert told["machine"] == {"cpu": "x"}
    assert told["findings"][0]["details"] == {"values": [4.0, 4.5, 5.0]}
    assert told["findings"][0]["verdict"] == "reached"


def test_slowest_imports_are_named() -> None:
    told = "import time: self [us] | cumulative | imported package\nimport time:      2000 |       9000 | a\n"
    told += "import time:      7000 |       7000 |   b.c\nimport time:        10 |         10 | d\n"
    assert alone.slowest_imports(told, most=2) == "b.c 7.0 ms, a 2.0 ms"


def test_what_is_missing_is_said_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "found", lambda _: "")
    assert gateway.main(["--only", "plain", "ready"]) == 0
    said = capsys.readouterr().out
    assert "plain was not measured: this machine lacks nginx (apt-get install nginx-light) and wrk" in said
    assert "ready was not measured: this machine lacks a C compiler" in said


def test_a_server_that_ends_is_reported_with_its_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no such option; exit 3"]
    with (
        pytest.raises(NotReadyError, match="x did not come up: no such option"),
        proxy("x", command, 1, tmp_path),
    ):
        pass


def test_nobody_answers_at_a_free_port() -> None:
    assert not answers(free_port(), "/readyz")


def test_keys_of_the_person_who_measures_stay_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    env = gateway_env(tmp_path)
    assert "OPENAI_API_KEY" not in env
    assert env["EDGEWISE_HOME"] == str(tmp_path / "home")
