from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.servers import free_port
from tests.settings.endpoints import NOT_FOUND, Answer, endpoint, models

from edgewise import assets
from edgewise.assets import AssetStatus
from edgewise.cli import doctor
from edgewise.settings import Found, discover

KEY = "sk-canary-1234567890abcdef"
SCRIPTED = '[[candidates]]\nid = "s"\nlocation = "edge"\nscript = {}\n'


@dataclass
class Doctor:
    """Runs `edgewise doctor --json` in this process on a configuration."""

    folder: Path
    printed: Callable[[], str]
    exit_code: int = 0
    text: str = ""

    def checks(self, config: str, *, port: int | None = None) -> dict[str, Any]:
        file = self.folder / "edgewise.toml"
        file.write_text(f"{config}\n[server]\nport = {port or free_port()}\n")
        return self.run(file)

    def run(self, file: Path | None, *, as_json: bool = True) -> dict[str, Any]:
        self.exit_code = 0
        try:
            doctor.command(config=file, as_json=as_json)
        except typer.Exit as stop:
            self.exit_code = stop.exit_code
        self.text = self.printed()
        assert KEY not in self.text
        if not as_json:
            return {}
        report = json.loads(self.text)
        found = {check["name"]: check for check in report["checks"]}
        assert len(found) == len(report["checks"])
        assert all(bool(check["mend"]) == (check["state"] != "ok") for check in report["checks"])
        failed = any(check["state"] == "fail" for check in report["checks"])
        assert report["ok"] == (not failed)
        assert self.exit_code in ((1, 2) if failed else (0,))
        return found


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    pulled(monkeypatch, "smollm2-135m", "minilm")
    return Doctor(tmp_path, lambda: capsys.readouterr().out)


def pulled(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pretend that these models are in the cache, and no others."""

    def status(name: str) -> AssetStatus:
        ready = name in names
        return AssetStatus(name, ready, Path("/cache") / name, None if ready else f"{name} was never pulled")

    monkeypatch.setattr(assets, "status", status)


def remote(url: str, more: str = "") -> str:
    return f'[[candidates]]\nid = "r"\nlocation = "cloud"\nurl = "{url}"\nmodel = "m-1"\n{more}\n'


def test_all_is_well(patient: Doctor) -> None:
    found = patient.checks(SCRIPTED)
    assert {check["state"] for check in found.values()} == {"ok"}
    looked_at = ["python", "configuration", "extra edge", "extra minilm", "model minilm", "port"]
    assert list(found) == [*looked_at, "signals", "state folder", "log"]
    assert patient.exit_code == 0
    assert not (patient.folder / "home").exists()


def test_without_a_file_it_looks_at_what_would_be_started(
    patient: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nearby(settings: Any) -> Found:
        return await discover(settings, {}, ollama_port=free_port(), lm_studio_port=free_port())

    monkeypatch.setattr("edgewise.cli.setup.discover", nearby)
    monkeypatch.setattr(doctor, "_cannot_bind", lambda _: None)  # 8787 may be in use here
    found = patient.run(None)
    assert found["configuration"]["found"].startswith(
        "There is no edgewise.toml here, so the defaults hold. The edge"
    )
    assert found["model smollm2-135m"]["state"] == "ok"


def test_a_configuration_that_cannot_be_used_exits_with_2(patient: Doctor) -> None:
    found = patient.checks("[policy]\nkind = 'x'")
    assert patient.exit_code == 2
    assert found["configuration"]["state"] == "fail"
    assert 'edgewise.toml: policy.kind is "x"; expected' in found["configuration"]["found"]
    assert list(found) == ["python", "configuration"]


def test_a_missing_extra_fails_only_where_it_is_needed(
    patient: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor, "find_spec", lambda name: None if name in ("xllamacpp", "tokenizers") else name
    )
    found = patient.checks(SCRIPTED)
    assert (found["extra edge"]["state"], found["extra minilm"]["state"]) == ("warn", "warn")
    assert found["extra edge"]["mend"] == "Run pip install 'edgewise[edge]'."
    assert found["extra minilm"]["found"].startswith("Without tokenizers,")
    found = patient.checks('[[candidates]]\nid = "e"\nlocation = "edge"\nembedded = "smollm2-135m"')
    assert (found["extra edge"]["state"], found["extra minilm"]["state"]) == ("fail", "warn")


def test_models_that_were_not_pulled(patient: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled(monkeypatch)
    found = patient.checks('[[candidates]]\nid = "e"\nlocation = "edge"\nembedded = "smollm2-135m"')
    assert found["model smollm2-135m"] == {
        "name": "model smollm2-135m",
        "state": "fail",
        "found": "smollm2-135m was never pulled.",
        "mend": "Run edgewise models pull smollm2-135m.",
    }
    assert found["model minilm"]["state"] == "warn"
    found = patient.checks('[[candidates]]\nid = "e"\nlocation = "edge"\nembedded = "gpt-2"')
    assert found["model gpt-2"]["state"] == "fail"
    assert found["model gpt-2"]["mend"] == "Use smollm2-135m in its place."


def test_a_port_that_somebody_else_has(patient: Doctor) -> None:
    with endpoint(lambda *_: NOT_FOUND) as other:
        found = patient.checks(SCRIPTED, port=other.port)
    assert found["port"]["state"] == "fail"
    assert f"127.0.0.1:{other.port}" in found["port"]["found"]
    assert "--port" in found["port"]["mend"]


def edgewise_at(models_answer: Answer) -> Callable[[str, dict[str, str]], Answer]:
    healthy: Answer = (200, {}, b'{"status":"ok"}')
    return lambda path, _: {"/healthz": healthy, "/v1/models": models_answer}.get(path, NOT_FOUND)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, {}, b'{"data": [{"id": "auto", "owned_by": "edgewise"}]}'), "ok"),
        ((401, {}, b'{"error": {"code": "invalid_api_key"}}'), "ok"),
        ((200, {}, b'{"data": [{"id": "gpt", "owned_by": "vllm"}]}'), "fail"),
        ((401, {}, b"go away"), "fail"),
    ],
)
def test_a_port_that_an_edgewise_has(patient: Doctor, answer: Answer, state: str) -> None:
    with endpoint(edgewise_at(answer)) as other:
        assert patient.checks(SCRIPTED, port=other.port)["port"]["state"] == state


def test_a_key_that_is_not_set(patient: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint(models("m-1")) as cloud:
        config = remote(cloud.url, 'api_key_env = "CLOUD_KEY"')
        monkeypatch.setenv("CLOUD_KEY", " ")
        found = patient.checks(config)
        assert found["key CLOUD_KEY"]["state"] == "fail"
        assert "Set CLOUD_KEY in the environment or in a .env" in found["key CLOUD_KEY"]["mend"]
        monkeypatch.delenv("CLOUD_KEY")
        (patient.folder / ".env").write_text(f"CLOUD_KEY={KEY}")
        assert patient.checks(config)["key CLOUD_KEY"]["state"] == "ok"


def guarded(path: str, headers: dict[str, str]) -> Answer:
    if headers.get("authorization") != f"Bearer {KEY}":
        return 401, {}, b'{"error": {"message": "no"}}'
    return models("m-1")(path, headers)


def test_an_endpoint_with_the_right_key_and_the_wrong_one(
    patient: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with endpoint(guarded) as cloud:
        config = remote(cloud.url, 'api_key_env = "CLOUD_KEY"')
        monkeypatch.setenv("CLOUD_KEY", KEY)
        assert patient.checks(config)["endpoint r"]["state"] == "ok"
        monkeypatch.setenv("CLOUD_KEY", "wrong")
        refused = patient.checks(config)["endpoint r"]
        assert refused["state"] == "fail"
        assert refused["found"] == f"127.0.0.1:{cloud.port} refuses the key in CLOUD_KEY (HTTP 401)."
        wanted = patient.checks(remote(cloud.url))["endpoint r"]
        assert wanted["found"] == f"127.0.0.1:{cloud.port} wants a key (HTTP 401)."
        assert "api_key_env" in wanted["mend"]


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        (models("m-1"), "ok", "takes requests for m-1"),
        (models("x", "vendor/m-1"), "ok", "takes requests for m-1"),
        (models("m-1:latest"), "ok", "takes requests for m-1"),
        (models(), "ok", "takes requests for m-1"),
        (models("x", "y"), "warn", "does not list m-1"),
        (lambda *_: NOT_FOUND, "warn", "answers, but lists no models (HTTP 404)"),
        (models("m-1", status=503), "warn", "answers, but lists no models (HTTP 503)"),
        (lambda *_: (200, {}, b"<html>"), "warn", "answers, but not with a list of models"),
        (lambda *_: (403, {}, b""), "fail", "wants a key (HTTP 403)"),
        (lambda *_: (307, {"location": "/elsewhere"}, b""), "fail", "points elsewhere (HTTP 307)"),
    ],
)
def test_what_an_endpoint_may_answer(patient: Doctor, answer: Any, state: str, found: str) -> None:
    with endpoint(answer) as cloud:
        check = patient.checks(remote(cloud.url))["endpoint r"]
        assert len(cloud.asked) == 1
    assert check["state"] == state
    assert found in check["found"]


def test_ollamas_own_list_is_read_where_its_own_api_is_spoken(patient: Doctor) -> None:
    def tags(path: str, _: dict[str, str]) -> Answer:
        return (200, {}, b'{"models": [{"name": "m-1:latest"}]}') if path == "/api/tags" else NOT_FOUND

    with endpoint(tags) as ollama:
        own = f"http://127.0.0.1:{ollama.port}"
        assert patient.checks(remote(own, 'api = "ollama"'))["endpoint r"]["state"] == "ok"
        wrong = patient.checks(remote(own + "/other", 'api = "ollama"'))["endpoint r"]
    assert wrong["state"] == "warn"
    assert "without /v1" in wrong["mend"]


def test_models_in_place_of_the_missing_one_are_offered(patient: Doctor) -> None:
    with endpoint(models("a", "b\x1b[2J", "c", "d", "e", "f")) as cloud:
        mend = patient.checks(remote(cloud.url))["endpoint r"]["mend"]
    assert mend == "Set the candidate's model to one of a, b\\x1b[2J, c, d, e …."


def test_an_endpoint_that_nobody_serves(patient: Doctor) -> None:
    port = free_port()
    check = patient.checks(remote(f"http://127.0.0.1:{port}/v1"))["endpoint r"]
    assert check["state"] == "fail"
    assert check["found"].startswith(f"127.0.0.1:{port} cannot be reached (")


def test_an_endpoint_that_does_not_answer(patient: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE_S", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        check = patient.checks(remote(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"))["endpoint r"]
    assert check["state"] == "fail"
    assert check["found"].endswith("did not answer within 0.1 s.")


def test_a_key_that_no_header_can_carry(patient: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_KEY", f"{KEY}\nx")
    with endpoint(guarded) as cloud:
        check = patient.checks(remote(cloud.url, 'api_key_env = "CLOUD_KEY"'))["endpoint r"]
        assert cloud.asked == []
    assert check["state"] == "fail"
    assert "no header can carry" in check["found"]


def test_a_proxy_of_the_environment_does_not_see_this_machine(
    patient: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with endpoint(models("m-1")) as cloud, endpoint(lambda *_: NOT_FOUND) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert patient.checks(remote(cloud.url))["endpoint r"]["state"] == "ok"
        assert proxy.asked == []
        patient.checks(remote("http://edgewise.invalid/v1"))
        assert [path for path, _ in proxy.asked] == ["http://edgewise.invalid/v1/models"]


def test_anthropics_list_of_models_wants_other_headers() -> None:
    assert doctor._credentials("https://api.anthropic.com/v1", KEY)["x-api-key"] == KEY
    assert doctor._credentials("https://api.openai.com/v1", KEY) == {"authorization": f"Bearer {KEY}"}


def test_a_state_folder_that_cannot_be_one(patient: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    (patient.folder / "taken").write_text("")
    monkeypatch.setenv("EDGEWISE_HOME", str(patient.folder / "taken" / "home"))
    found = patient.checks(SCRIPTED)["state folder"]
    assert found["state"] == "fail"
    assert "EDGEWISE_HOME" in found["mend"]


def test_a_log_that_is_none(patient: Doctor) -> None:
    (patient.folder / "home").mkdir()
    log = patient.folder / "home" / "edgewise.sqlite"
    log.write_text("this is a diary, and not a database at all")
    found = patient.checks(SCRIPTED)
    assert found["log"]["state"] == "fail"
    assert f"{log} is no log (" in found["log"]["found"]
    log.unlink()
    log.mkdir()
    assert patient.checks(SCRIPTED)["log"]["state"] == "fail"


def test_a_log_that_opens_and_one_that_is_being_written(patient: Doctor) -> None:
    (patient.folder / "home").mkdir()
    log = sqlite3.connect(patient.folder / "home" / "edgewise.sqlite", isolation_level=None)
    log.execute("PRAGMA journal_mode = WAL")
    log.execute("CREATE TABLE t (x)")
    assert patient.checks(SCRIPTED)["log"]["found"].endswith("opens.")
    log.execute("BEGIN IMMEDIATE")
    assert patient.checks(SCRIPTED)["log"]["found"].endswith("is being written to.")
    log.close()


def test_the_report_for_people(patient: Doctor) -> None:
    file = patient.folder / "edgewise.toml"
    file.write_text(remote(f"http://127.0.0.1:{free_port()}/v1") + f"[server]\nport = {free_port()}")
    patient.run(file, as_json=False)
    assert patient.exit_code == 1
    assert "FAIL  endpoint r " in patient.text
    assert "Start it, or correct the candidate's url." in patient.text
    assert patient.text.endswith("1 of 10 checks failed.\n")


def test_this_python_is_new_enough_and_an_old_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._python().state == "ok"
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert doctor._python() == doctor.Check(
        "python", "fail", "This is Python 3.10.4.", "Install Python 3.11 or newer."
    )


def test_the_command_itself(tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(f"{SCRIPTED}[server]\nport = {free_port()}")
    environment = {**os.environ, "EDGEWISE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "edgewise.cli", "doctor", "--config", str(file), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["configuration"]["found"] == f"{file} is in order."
    assert found["model minilm"]["state"] == "warn"
    assert str(tmp_path / "home") in found["model minilm"]["found"]
    assert found["model minilm"]["mend"] == "Run edgewise models pull minilm."
