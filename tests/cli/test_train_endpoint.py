"""`--features URL#MODEL` as a user runs it: train, interrupt, route, serve."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import complaint, edgewise
from tests.conftest import two_candidates
from tests.features.embedding_server import Embedder, embedder
from tests.learning.synthetic import write_table
from tests.servers import Mock, gateway, mock_upstream

from edgewise.features.endpoint.names import PROBE

KEY = "sk-never-to-be-seen-0123456789"
OPTIONS = ("--objective", "quality-at-cost", "--learner", "ridge")
FEATURES = '[policy]\nkind = "bundle"\nbundle = "b"\nexplore = 0\n\n[features]\ntimeout_s = 20\n'


@pytest.fixture
def endpoint() -> Iterator[Embedder]:
    with embedder() as found:
        yield found


@pytest.fixture
def trained(endpoint: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the table `t.csv` and the bundle `b`, which is the state folder too."""
    monkeypatch.setenv("MY_KEY", KEY)
    write_table(tmp_path / "t.csv")
    named = ("--features", f"{endpoint.url}#tiny", "--features-key-env", "MY_KEY")
    ran = edgewise("train", "t.csv", "-o", "b", *named, *OPTIONS, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert b"160 of 160 vectors from 127.0.0.1" in ran.stderr
    assert KEY.encode() not in ran.stdout + ran.stderr
    return tmp_path


def test_the_key_is_sent_and_written_nowhere(trained: Path, endpoint: Embedder) -> None:
    assert set(endpoint.keys) == {f"Bearer {KEY}"}
    files = [path for path in trained.rglob("*") if path.is_file()]
    assert any(path.name == "policy.json" for path in files)
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    features = json.loads((trained / "b" / "policy.json").read_text())["features"]
    assert f"/tiny@{endpoint.url}+" in features


def test_training_again_asks_nothing_and_gives_the_same_bytes(trained: Path, endpoint: Embedder) -> None:
    endpoint.calls.clear()
    named = ("--features", f"{endpoint.url}#tiny")
    ran = edgewise("train", "t.csv", "-o", "c", *named, *OPTIONS, cwd=trained)
    assert ran.returncode == 0, ran.stderr
    assert endpoint.texts == [PROBE]
    for path in (trained / "b").iterdir():
        assert (trained / "c" / path.name).read_bytes() == path.read_bytes()


def test_route_asks_for_what_is_new(trained: Path, endpoint: Embedder) -> None:
    endpoint.calls.clear()
    lines = ["Prove that it is so.", "Say hello.", "Say hello."]
    ran = edgewise("route", "--bundle", "b", "--input", "-", given="\n".join(lines).encode(), cwd=trained)
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [one["prompt"] for one in told] == lines
    assert set(told[0]["forecasts"]) == {"small", "large"}
    assert sorted(endpoint.texts) == sorted([PROBE, *set(lines)])


def test_another_model_by_that_name_is_one_sentence(trained: Path, endpoint: Embedder) -> None:
    endpoint.salt = "other"
    ran = edgewise("route", "--bundle", "b", "Something new.", cwd=trained)
    assert "another model answers by the name 'tiny'" in complaint(ran)


def test_an_endpoint_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv")
    named = ("--features", "http://127.0.0.1:9/v1#tiny")
    ran = edgewise("train", "t.csv", "-o", "b", *named, *OPTIONS, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode().splitlines()[-1] == (
        "edgewise: 127.0.0.1:9 gave no vectors: the connection failed."
    )
    assert b"Traceback" not in ran.stderr
    assert not (tmp_path / "b").exists()


def test_after_ctrl_c_it_goes_on_where_it_ended(endpoint: Embedder, tmp_path: Path) -> None:
    _large(tmp_path / "t.csv")
    endpoint.pause_s = 0.3
    words = ("train", "t.csv", "-o", "b", "--features", f"{endpoint.url}#tiny", *OPTIONS)
    environment = {**os.environ, "EDGEWISE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "edgewise.cli", *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(endpoint.calls) < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert not (tmp_path / "b").exists()
    endpoint.pause_s = 0.0
    before = set(endpoint.texts) - {PROBE}
    endpoint.calls.clear()
    ran = edgewise(*words, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    asked = set(endpoint.texts) - {PROBE}
    assert len(before & asked) <= 4 * 64  # only what was under way when it was interrupted
    assert len(asked) < 1500
    assert len(before | asked) == 1500


def served_by(upstream: Mock) -> str:
    config = FEATURES + 'trust = "cloud"\n' + two_candidates(upstream)
    return config.replace('id = "tiny"', 'id = "small"').replace('id = "giant"', 'id = "large"')


@pytest.mark.parametrize("ill", ["", "other", "gone"])
def test_doctor_asks_the_endpoint(trained: Path, endpoint: Embedder, ill: str) -> None:
    script = '[[candidates]]\nid = "small"\nlocation = "edge"\nscript = {}\n'
    url = "http://127.0.0.1:9/v1" if ill == "gone" else endpoint.url
    (trained / "edgewise.toml").write_text(f'{FEATURES}url = "{url}"\n{script}')
    endpoint.salt = ill
    ran = edgewise("doctor", "--json", cwd=trained)
    checks = {check["name"]: check for check in json.loads(ran.stdout)["checks"]}
    said = {"": "gives the vectors", "other": "another model answers", "gone": "gave no vectors"}[ill]
    assert said in checks["features"]["found"]
    assert checks["features"]["state"] == ("warn" if ill else "ok")


def asking(text: str) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}]}


def _large(path: Path) -> None:
    rows = [f"question {n} {'long words' * (n % 3)},{c},{n % 2}" for n in range(1500) for c in ("a", "b")]
    path.write_text("prompt,candidate,quality\n" + "\n".join(rows) + "\n")


def test_the_gateway_keeps_local_prompts_here_and_says_why_it_fell_back(
    trained: Path, endpoint: Embedder
) -> None:
    """The endpoint is declared to be a cloud: what is local goes nowhere, and everybody gets an answer."""
    endpoint.calls.clear()
    with mock_upstream() as upstream, gateway(trained, served_by(upstream)) as running:
        assert running.post("/v1/chat/completions", asking("An open question."))[0] == 200
        local = {"x-edgewise-privacy": "local"}
        assert running.post("/v1/chat/completions", asking("A secret question."), local)[0] == 200
        status, told = running.post("/v1/route", asking("A secret question."), local)
        assert status == 200
        assert told["evidence"]["no_vector_private"] == 1.0
        assert not told.get("forecasts")
        _, told = running.post("/v1/route", asking("An open question."))
        assert set(told["forecasts"]) == {"small", "large"}
        assert "no_vector_private" not in told["evidence"]
    assert endpoint.texts == [PROBE, "An open question."]
