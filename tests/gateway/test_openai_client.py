"""The official client, unmodified, against a running gateway."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, events_of, gateway

from edgewise.outcomes import LogReader
from edgewise.settings import hash_key, new_key

QUESTION: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="any", max_retries=0) as opened:
        yield opened


def test_plain(client: openai.OpenAI, running: Running, shared_mock: Mock) -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=QUESTION)
    answer = raw.parse()
    assert answer.choices[0].message.content == "Paris."
    assert answer.model == "tiny-1"
    assert answer.model_extra == {"x_unknown": {"kept": True}}
    assert raw.headers["x-edgewise-candidate"] == "tiny"
    assert raw.headers["x-edgewise-location"] == "edge"
    assert raw.headers["x-edgewise-policy"] == "complexity"
    assert raw.headers["x-edgewise-reason"] == "optimal_edge"
    assert shared_mock.calls[0].json == {"model": "tiny-1", "messages": QUESTION}
    told = running.get(f"/v1/decisions/{raw.headers['x-request-id']}")[1]
    assert told["chosen"] == "tiny"
    assert told["prompt"] == "What is the capital of France?"
    assert told["outcome"]["status"] == "ok"
    assert told["outcome"]["response"] == "Paris."
    assert (told["outcome"]["input_tokens"], told["outcome"]["output_tokens"]) == (14, 2)
    assert told["attempts"][0]["candidate"] == "tiny"
    assert sum(told["odds"].values()) == pytest.approx(1.0)


def test_pinned(client: openai.OpenAI, running: Running, shared_mock: Mock) -> None:
    raw = client.chat.completions.with_raw_response.create(model="giant", messages=QUESTION)
    assert raw.headers["x-edgewise-candidate"] == "giant"
    assert raw.headers["x-edgewise-reason"] == "pinned"
    assert shared_mock.calls[0].json["model"] == "giant-9"
    assert shared_mock.calls[0].headers["authorization"] == "Bearer sk-canary"
    told = running.get(f"/v1/decisions/{raw.headers['x-request-id']}")[1]
    assert told["outcome"]["cost_usd"] == pytest.approx((14 * 1.0 + 2 * 2.0) / 1e6)
    assert told["outcome"]["cost_state"] == "billed"


def test_the_clients_own_key_is_not_sent_on(client: openai.OpenAI, shared_mock: Mock) -> None:
    client.chat.completions.create(model="tiny", messages=QUESTION)
    assert "authorization" not in shared_mock.calls[0].headers


def test_streaming_with_usage(client: openai.OpenAI, shared_mock: Mock) -> None:
    chunks = list(
        client.chat.completions.create(
            model="auto", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Paris."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 2
    assert shared_mock.calls[0].json["stream_options"] == {"include_usage": True}


def test_streaming_without_usage(client: openai.OpenAI, running: Running, shared_mock: Mock) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="auto", messages=QUESTION, stream=True
    ) as raw:
        identity = raw.headers["x-request-id"]
        chunks = list(raw.parse())
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert shared_mock.calls[0].json["stream_options"] == {"include_usage": True}
    outcome = running.get(f"/v1/decisions/{identity}")[1]["outcome"]
    assert outcome["output_tokens"] == 2
    assert outcome["response"] == "Paris."
    assert 0 < outcome["ttft_s"] <= outcome["latency_s"]


def test_tools_vision_and_unknown_fields_pass_untouched(client: openai.OpenAI, shared_mock: Mock) -> None:
    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    parts: Any = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
    ]
    more = {"logprobs": True, "n": 2, "x_new_field": {"a": [1, 2.50]}}
    raw = client.chat.completions.with_raw_response.create(
        model="auto", messages=parts, tools=tools, response_format={"type": "json_object"}, extra_body=more
    )
    assert raw.headers["x-edgewise-candidate"] == "giant"  # tiny has no eyes
    assert raw.headers["x-edgewise-reason"] == "capability"
    sent = shared_mock.calls[0].json
    expected = {
        "model": "giant-9",
        "messages": parts,
        "tools": tools,
        "response_format": {"type": "json_object"},
    }
    assert sent == {**expected, **more}


def test_wishes_in_the_body_are_never_sent_on(
    client: openai.OpenAI, running: Running, shared_mock: Mock
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="auto", messages=QUESTION, extra_body={"edgewise": {"session": "s1", "candidates": ["giant"]}}
    )
    assert raw.headers["x-edgewise-candidate"] == "giant"
    assert "edgewise" not in shared_mock.calls[0].json
    assert running.get(f"/v1/decisions/{raw.headers['x-request-id']}")[1]["session"] == "s1"


def test_a_named_policy(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto:random", messages=QUESTION)
    assert raw.headers["x-edgewise-policy"] == "random"
    assert raw.headers["x-edgewise-reason"] == "explored"


@pytest.mark.parametrize("model", ["giantt", "auto:nobody"])
def test_unknown_model(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model=model, messages=QUESTION)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_too_long_for_every_context(client: openai.OpenAI) -> None:
    long: Any = [{"role": "user", "content": "word " * 150_000}]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="auto", messages=long)
    assert caught.value.code == "context_length_exceeded"
    assert "tiny" in str(caught.value)
    assert "giant" in str(caught.value)


def test_too_long_for_the_edge_goes_to_the_cloud(client: openai.OpenAI) -> None:
    long: Any = [{"role": "user", "content": "word " * 20_000}]
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=long)
    assert raw.headers["x-edgewise-candidate"] == "giant"


def test_the_list_of_models(client: openai.OpenAI) -> None:
    listed = [model.id for model in client.models.list()]
    assert listed[0] == "auto"
    assert {"auto:random", "auto:complexity", "tiny", "giant"} <= set(listed)


def test_a_candidates_refusal_reaches_the_client(client: openai.OpenAI, shared_mock: Mock) -> None:
    shared_mock.status = 400
    shared_mock.plain = b'{"error":{"message":"bad temperature","type":"invalid_request_error","code":"x"}}'
    with pytest.raises(openai.BadRequestError, match="bad temperature"):
        client.chat.completions.create(model="tiny", messages=QUESTION)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_candidates_own_trouble_is_a_502(client: openai.OpenAI, shared_mock: Mock, status: int) -> None:
    shared_mock.status, shared_mock.plain = status, b"secret details"
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="tiny", messages=QUESTION)
    assert caught.value.status_code == 502
    assert "secret" not in str(caught.value)


def test_429_keeps_its_retry_after(client: openai.OpenAI, shared_mock: Mock) -> None:
    shared_mock.status, shared_mock.headers = 429, {"retry-after": "7"}
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="tiny", messages=QUESTION)
    assert caught.value.response.headers["retry-after"] == "7"


def test_an_error_inside_a_200(client: openai.OpenAI, shared_mock: Mock) -> None:
    shared_mock.plain = b'{"error":{"message":"overloaded"}}'
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="tiny", messages=QUESTION)


def test_a_stream_that_breaks_off_says_so(client: openai.OpenAI, running: Running, shared_mock: Mock) -> None:
    shared_mock.events = events_of("openai_stream.sse")[:2]
    with client.chat.completions.with_streaming_response.create(
        model="tiny", messages=QUESTION, stream=True
    ) as raw:
        identity = raw.headers["x-request-id"]
        with pytest.raises(openai.APIError, match=r"without \[DONE\]"):
            list(raw.parse())
    assert running.get(f"/v1/decisions/{identity}")[1]["outcome"]["status"] == "incomplete"


def test_a_client_that_hangs_up_cancels_the_call(
    client: openai.OpenAI, running: Running, shared_mock: Mock
) -> None:
    shared_mock.events, shared_mock.pause_s = events_of("openai_stream.sse")[:2] * 200, 0.05
    with client.chat.completions.with_streaming_response.create(
        model="tiny", messages=QUESTION, stream=True
    ) as raw:
        identity = raw.headers["x-request-id"]
        next(raw.iter_lines())
    assert shared_mock.calls[0].hung_up.wait(5)
    reader, deadline = LogReader(running.log), time.monotonic() + 5
    status = None
    while status is None and time.monotonic() < deadline:
        story = reader.decision(identity)
        status = story.outcome.status if story is not None and story.outcome is not None else None
    assert status == "cancelled"


def test_a_wrong_key(shared_mock: Mock, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = new_key()
    config = two_candidates(shared_mock, f'[[server.keys]]\nname = "ann"\nhash = "{hash_key(key)}"')
    with gateway(tmp_path_factory.mktemp("keys"), config) as guarded:

        def ask(api_key: str) -> str | None:
            with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=api_key, max_retries=0) as client:
                return (
                    client.chat.completions.create(model="tiny", messages=QUESTION).choices[0].message.content
                )

        assert ask(key) == "Paris."
        with pytest.raises(openai.AuthenticationError) as caught:
            ask("ew-wrong")
        assert caught.value.code == "invalid_api_key"
        assert "ew-wrong" not in str(caught.value)
        assert guarded.get("/healthz")[0] == 200
        assert guarded.get("/v1/models")[0] == 401
        assert key not in (guarded.home / "stderr").read_text() + (guarded.home / "stdout").read_text()
