"""Whatever a candidate calls an error, a client that knows OpenAI's shape can read it."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from tests.servers import Mock, Running

CHAT = "/v1/chat/completions"
BODY: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}
USUAL = {"message": "Too long.", "type": "invalid_request_error", "param": None, "code": None}


def refused(running: Running, mock: Mock, said: object) -> dict[str, Any]:
    mock.status, mock.plain = 400, json.dumps(said).encode()
    status, answer = running.post(CHAT, BODY)
    assert status == 400
    error: dict[str, Any] = answer["error"]
    assert isinstance(error["message"], str)
    assert isinstance(error["type"], str)
    for key in ("param", "code"):
        assert error[key] is None or isinstance(error[key], str)
    return error


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (USUAL, USUAL),
        ({"message": "Too long.", "code": 400}, {**USUAL, "code": "400"}),
        ({"message": "Too long.", "code": 4.5, "status": "BAD"}, {**USUAL, "code": "4.5", "status": "BAD"}),
        ({**USUAL, "param": {"a": 1}}, USUAL),
        ({**USUAL, "type": None, "x": [1]}, {**USUAL, "x": [1]}),
    ],
)  # fmt: skip
def test_an_error_of_a_candidate(
    running: Running, shared_mock: Mock, said: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert refused(running, shared_mock, {"error": said}) == expected


@pytest.mark.parametrize("said", ["no", {"error": "no"}, [{"error": {"message": "no"}}], {"detail": "no"}])
def test_an_error_of_another_shape(running: Running, shared_mock: Mock, said: object) -> None:
    assert refused(running, shared_mock, said)["code"] == "upstream_error"


def test_a_byte_order_mark_has_its_own_sentence(running: Running) -> None:
    status, answer = running.post(CHAT, b"\xef\xbb\xbf" + json.dumps(BODY).encode())
    assert status == 400
    assert "byte order mark" in answer["error"]["message"]


@pytest.mark.parametrize("prefix", ["", "auto:"])
def test_a_long_name_is_not_echoed_in_full(running: Running, prefix: str) -> None:
    status, answer = running.post(CHAT, {**BODY, "model": prefix + "x" * 50_000})
    assert status == 404
    assert "x" * 100 in answer["error"]["message"]
    assert "x" * 101 not in answer["error"]["message"]


def test_one_model(running: Running) -> None:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="any", max_retries=0) as client:
        for listed in client.models.list():
            assert client.models.retrieve(listed.id) == listed
        with pytest.raises(openai.NotFoundError, match="GET /v1/models"):
            client.models.retrieve("nobody")


@pytest.mark.parametrize(("rating", "status"), [(1, 201), (5, 201), (0, 400), (5.5, 400), (-1e300, 400)])
def test_a_rating_lies_between_1_and_5(running: Running, rating: float, status: int) -> None:
    decision = running.post("/v1/route", BODY)[1]["id"]
    code, answer = running.post("/v1/feedback", {"id": decision, "rating": rating})
    assert code == status
    if status == 400:
        assert answer["error"]["param"] == "rating"
