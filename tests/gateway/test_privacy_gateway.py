"""Privacy as a client meets it: redaction over the wire, a block in OpenAI's shape, keys that demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway, mock_upstream

from edgewise.settings import hash_key, new_key

CHAT = "/v1/chat/completions"
MAIL, CARD, SSN = "ann@example.org", "4111 1111 1111 1111", "078-05-1120"
KEY = new_key()
CONFIG = f"""
[[server.keys]]
name = "clinic"
hash = "{hash_key(KEY)}"
scopes = ["admin"]
privacy = "local"
[[server.keys]]
name = "shop"
hash = "{hash_key(KEY + "2")}"
scopes = ["admin"]
privacy = "region:eu"
[privacy]
action = "redact"
rules = {{ card = "block", us_ssn = "local" }}
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Mock]:
    with mock_upstream() as mock:
        yield mock


@pytest.fixture(scope="module")
def guarded(upstream: Mock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = two_candidates(upstream, CONFIG) + 'region = "eu-west-1"\n'
    with gateway(tmp_path_factory.mktemp("guarded"), config) as running:
        yield running


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "content-type": "application/json"}


SHOP, CLINIC = bearer(KEY + "2"), bearer(KEY)


def chat(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": "giant", "messages": [{"role": "user", "content": prompt}], **more}


def test_a_key_demands_for_all_its_requests(guarded: Running, upstream: Mock) -> None:
    before = len(upstream.calls)
    status, answer = guarded.post(CHAT, chat("hi"), CLINIC)
    assert status == 400
    assert "declared local, and 'giant' is in a cloud" in answer["error"]["message"]
    status, answer = guarded.post(CHAT, chat("hi"), {**SHOP, "x-edgewise-privacy": "region:us"})
    assert status == 400
    assert "must stay in eu and us, and 'giant' is in 'eu-west-1'" in answer["error"]["message"]
    assert len(upstream.calls) == before
    assert guarded.post(CHAT, chat("hi"), SHOP)[0] == 200
    told = guarded.post("/v1/route", chat("hi"), SHOP)[1]
    assert (told["chosen"], told["privacy"]) == ("giant", "region:eu")


def test_redacted_on_the_wire_and_restored_in_the_answer(guarded: Running, upstream: Mock) -> None:
    said = {"role": "assistant", "content": "Wrote to [EMAIL_1]."}
    upstream.plain = json.dumps({"choices": [{"index": 0, "message": said}]}).encode()
    pieces = ["Wrote to [EM", "AIL_1", "]."]
    deltas = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    deltas.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    upstream.events = [b"data: " + json.dumps(d).encode() + b"\n\n" for d in deltas] + [b"data: [DONE]\n\n"]
    status, answer = guarded.post(CHAT, chat(f"Write to {MAIL}"), SHOP)
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == f"Wrote to {MAIL}."
    assert upstream.calls[-1].json["messages"][0]["content"] == "Write to [EMAIL_1]"
    told = guarded.get("/v1/decisions?limit=1", SHOP)[1]["data"][0]
    assert told["evidence"]["found:email"] == 1.0
    assert "EMAIL_1" not in json.dumps(told)
    assert _streamed(guarded, chat(f"Write to {MAIL}", stream=True)) == f"Wrote to {MAIL}."
    assert MAIL not in upstream.calls[-1].body.decode()


def _streamed(running: Running, body: dict[str, Any]) -> str:
    from urllib.request import Request, urlopen  # noqa: PLC0415 - beside its only use

    request = Request(running.url + CHAT, json.dumps(body).encode(), SHOP)
    with urlopen(request, timeout=30) as response:
        events = [event[6:] for event in response.read().split(b"\n\n") if event.startswith(b"data: {")]
    choices = [choice for event in events for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_on_this_device_nothing_is_changed(guarded: Running, upstream: Mock) -> None:
    upstream.plain = b'{"choices": [{"index": 0, "message": {"content": "Done."}}]}'
    guarded.post(CHAT, chat(f"Write to {MAIL}", model="tiny"), SHOP)
    assert upstream.calls[-1].json["messages"][0]["content"] == f"Write to {MAIL}"


def test_a_block_names_the_rule_and_never_the_value(guarded: Running, upstream: Mock) -> None:
    before = len(upstream.calls)
    status, answer = guarded.post(CHAT, chat(f"Charge {CARD}", model="auto"), SHOP)
    assert status == 400
    error = answer["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert "blocked (found by 'card')" in error["message"]
    assert "1111" not in json.dumps(answer)
    assert len(upstream.calls) == before


def test_what_is_found_local_stays_and_stands_in_the_record(guarded: Running, upstream: Mock) -> None:
    assert guarded.post(CHAT, chat(f"My SSN is {SSN}", model="auto"), SHOP)[0] == 200
    assert upstream.calls[-1].json["model"] == "tiny-1"
    told = guarded.get("/v1/decisions?limit=1", SHOP)[1]["data"][0]
    assert (told["chosen"], told["privacy"], told["reason"]) == ("tiny", "local", "privacy")
    assert "held local (found by 'us_ssn')" in told["objections"][0]["sentence"]


@pytest.mark.parametrize("said", [["local", "region:eu-west-1"], ["region:eu-west-1", "local"]])
def test_a_header_said_twice_does_not_undo_itself(guarded: Running, said: list[str]) -> None:
    import http.client  # noqa: PLC0415 - the only client here that sends a header twice

    connection = http.client.HTTPConnection(guarded.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", CHAT)
    body = json.dumps(chat("hi")).encode()
    for name, value in [*SHOP.items(), *(("x-edgewise-privacy", word) for word in said)]:
        connection.putheader(name, value)
    connection.putheader("content-length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    assert response.status == 400
    assert b"declared local" in response.read()
    connection.close()


def test_the_log_has_no_placeholders(guarded: Running) -> None:
    log = Path(guarded.log)
    assert b"[EMAIL_1]" not in b"".join(path.read_bytes() for path in log.parent.glob(f"{log.name}*"))
