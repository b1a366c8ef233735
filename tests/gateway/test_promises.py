"""What the gateway promises about privacy, records, keys, and who may call it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.settings import hash_key, new_key

CHAT = "/v1/chat/completions"
ANGRY = "I am furious and disgusted, this is terrible, unacceptable; get me a manager, a supervisor, " * 3
LOCAL = {"x-edgewise-privacy": "local"}


def chat(prompt: str = "hi", **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": prompt}], **more}


def test_local_stays_on_the_device_where_the_policy_wants_the_cloud(
    running: Running, shared_mock: Mock
) -> None:
    assert running.post(CHAT, chat(ANGRY))[0] == 200
    assert shared_mock.calls[-1].json["model"] == "giant-9"
    assert running.post(CHAT, chat(ANGRY), LOCAL)[0] == 200
    assert shared_mock.calls[-1].json["model"] == "tiny-1"
    told = running.get("/v1/decisions?limit=1")[1]["data"][0]
    assert (told["chosen"], told["reason"], told["privacy"]) == ("tiny", "privacy", "local")
    assert [o["rule"] for o in told["objections"]] == ["privacy"]


@pytest.mark.parametrize("body", [{"model": "giant"}, {"edgewise": {"candidates": ["giant"]}}])
def test_local_is_refused_rather_than_sent_away(
    running: Running, shared_mock: Mock, body: dict[str, Any]
) -> None:
    status, answer = running.post(CHAT, chat(**body), LOCAL)
    assert status == 400
    assert "declared local" in answer["error"]["message"]
    assert not shared_mock.calls


def test_a_refused_request_leaves_a_record_that_explain_tells(running: Running) -> None:
    assert running.post(CHAT, chat(model="giant"), LOCAL)[0] == 400
    told = running.get("/v1/decisions?limit=1")[1]["data"][0]
    assert (told["chosen"], told["odds"], told["outcome"]["status"]) == ("", {}, "error")
    assert {o["candidate"] for o in told["objections"]} == {"tiny", "giant"}
    command = [sys.executable, "-m", "edgewise.cli", "explain", told["id"], "--path", str(running.log)]
    explained = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "Nobody was asked" in explained
    assert "giant: The request is declared local, and 'giant' is in a cloud (privacy)." in explained


def test_an_unknown_objective_is_an_error(running: Running) -> None:
    status, answer = running.post(CHAT, chat(), {"x-edgewise-objective": "speed"})
    assert status == 400
    assert "qos" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"host": "localhost:8787"}, 200), ({"host": "[::1]"}, 200), ({"host": "evil.example"}, 403),
     ({"host": "127.0.0.1.evil.example"}, 403), ({"origin": "http://evil.example"}, 403),
     ({"origin": "null"}, 403), ({"origin": "http://localhost:3000"}, 200)],
)  # fmt: skip
def test_web_pages_cannot_reach_it(running: Running, headers: dict[str, str], status: int) -> None:
    assert running.get("/v1/decisions", headers)[0] == status
    assert running.post(CHAT, chat(), {"content-type": "text/plain", **headers})[0] == status


def test_scopes(mock: Mock, tmp_path: Path) -> None:
    keys = {scope: new_key() for scope in ("inference", "read", "admin")}
    tables = "".join(
        f'[[server.keys]]\nname = "{scope}"\nhash = "{hash_key(key)}"\nscopes = ["{scope}"]\n'
        for scope, key in keys.items()
    )
    expected = {"inference": (200, 403), "read": (403, 200), "admin": (200, 200)}
    with gateway(tmp_path, two_candidates(mock, tables), env={"GIANT_KEY": "x"}) as guarded:
        for scope, key in keys.items():
            bearer = {"authorization": f"Bearer {key}"}
            seen = guarded.post(CHAT, chat(model="tiny"), bearer)[0], guarded.get("/v1/decisions", bearer)[0]
            assert seen == expected[scope], scope
        assert guarded.get("/v1/decisions", {"x-api-key": keys["read"]})[0] == 200


def test_a_missing_model_is_not_ready(tmp_path: Path) -> None:
    config = '[[candidates]]\nid = "small"\nlocation = "edge"\nembedded = "smollm2-135m"\n'
    with pytest.raises(AssertionError, match="did not get ready"), gateway(tmp_path, config, patience_s=3.0):
        pass
