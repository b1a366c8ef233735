"""Who may say what a good choice is: a request, else its key; and what is no objective is a 400."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.domain.errors import RequestError
from edgewise.gateway.callers import Caller
from edgewise.gateway.chat_body import parse_chat
from edgewise.settings import hash_key, new_key

CHAT = "/v1/chat/completions"
ROUTE = "/v1/route"


def chat(objective: Any = None) -> dict[str, Any]:
    more = {} if objective is None else {"edgewise": {"objective": objective}}
    return {"model": "auto", "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ("qos", "qos"),
        ("cheapest-at-quality:0.7", "cheapest-at-quality:0.7"),
        ({"name": "cheapest-at-quality", "floor": 0.7}, "cheapest-at-quality:0.7"),
        ({"name": "quality-at-cost", "weight": 2}, "quality-at-cost:2.0"),
        ({"name": "reward"}, "reward"),
    ],
)
def test_a_requests_objective_stands_in_its_decision(running: Running, said: Any, recorded: str) -> None:
    assert running.post(ROUTE, chat(said))[1]["objective"] == recorded
    if isinstance(said, str):
        assert running.post(ROUTE, chat(), {"x-edgewise-objective": said})[1]["objective"] == recorded
    assert running.post(ROUTE, chat())[1]["objective"] is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("qoss", "Perhaps 'qos' was meant"),
        ("qos:0.5", "takes no number"),
        ("cheapest-at-quality:80", "between 0 and 1"),
        ("quality-at-cost:lots", "expected a number, as in quality-at-cost:0.3"),
        ({"name": "qoss"}, "Perhaps 'qos' was meant"),
        ({"name": "qos", "weight": 1}, "has no weight; it takes no number"),
        ({"name": "cheapest-at-quality", "floor": 80}, "between 0 and 1"),
        ({"name": "cheapest-at-quality", "flor": 0.8}, "unknown field `flor` at edgewise.objective"),
        ({"weight": 1}, "missing required field `name`"),
        (0.3, "at edgewise.objective"),
    ],
)
def test_what_is_no_objective_is_a_400(running: Running, shared_mock: Mock, said: Any, sentence: str) -> None:
    for path in (CHAT, ROUTE):
        status, answer = running.post(path, chat(said))
        assert status == 400
        assert sentence in answer["error"]["message"]
        assert answer["error"]["param"] == "edgewise.objective"
    assert not shared_mock.calls


def test_the_header_goes_before_the_body_and_both_before_the_key() -> None:
    body = json.dumps(chat("reward")).encode()
    plain = json.dumps(chat()).encode()

    def objective(raw: bytes, headers: dict[str, str], key: str | None = "qos") -> str | None:
        return parse_chat(raw, headers, Caller(objective=key)).wishes.objective

    assert objective(body, {"objective": "quality-at-cost"}) == "quality-at-cost"
    assert objective(body, {}) == "reward"
    assert objective(plain, {"session": "s"}) == "qos"
    assert objective(plain, {}) == "qos"
    assert objective(plain, {}, None) is None


def test_the_body_may_not_mix_objectives_up() -> None:
    with pytest.raises(RequestError) as caught:
        parse_chat(json.dumps(chat({"name": "fastest-at-quality", "weight": 1})).encode(), {})
    assert (caught.value.status, caught.value.param) == (400, "edgewise.objective")


def test_a_key_may_have_an_objective_of_its_own(mock: Mock, tmp_path: Path) -> None:
    hasty, plain = new_key(), new_key()
    tables = (
        f'[[server.keys]]\nname = "hasty"\nhash = "{hash_key(hasty)}"\nobjective = "fastest-at-quality:0.6"\n'
        f'[[server.keys]]\nname = "plain"\nhash = "{hash_key(plain)}"\n'
    )
    with gateway(tmp_path, two_candidates(mock, tables), env={"GIANT_KEY": "x"}) as guarded:

        def objective(path: str, key: str, **headers: str) -> Any:
            bearer = {"authorization": f"Bearer {key}", **headers}
            assert guarded.post(path, chat(), bearer)[0] == 200
            return guarded.get("/v1/decisions?limit=1", bearer)[1]["data"][0]["objective"]

        for path in (CHAT, ROUTE):
            assert objective(path, hasty) == "fastest-at-quality:0.6"
            assert objective(path, hasty, **{"x-edgewise-objective": "qos"}) == "qos"
            assert objective(path, plain) is None
