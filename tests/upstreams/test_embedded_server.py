"""What the embedded model's server does, on the real model: the facts that the rest of Edgewise builds on."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from edgewise.upstreams.embedded import EmbeddedRuntime

NAME = "smollm2-135m"
PATIENCE_S = 60.0
# The server looks for hang-ups of plain requests once nothing else has happened for a second.
QUIET_S = 1.5
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "tall": {"type": "boolean"}},
    "required": ["name", "tall"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[EmbeddedRuntime]:
    """The real model, with a context that is quickly filled."""
    with asyncio.Runner() as runner:
        started = EmbeddedRuntime.of(NAME)
        started.context = 512
        try:
            runner.run(started.url())
            yield started
        finally:
            runner.run(started.aclose())


@pytest.fixture(scope="module")
def url(runtime: EmbeddedRuntime) -> str:
    return asyncio.run(runtime.url())


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=PATIENCE_S) as opened:
        yield opened


def call(url: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of a POST to the chat endpoint's server, or of a GET where there is no body."""
    parts = urlsplit(url)
    asked = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    try:
        asked.request(
            "GET" if body is None else "POST", parts.path + path, None if body is None else json.dumps(body)
        )
        reply = asked.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        asked.close()


def chat(url: str, **body: Any) -> tuple[int, Any]:
    return call(url, "/chat/completions", {"messages": FRANCE, "temperature": 0, "max_tokens": 16, **body})


def decoding(url: str) -> list[int]:
    """How many tokens each answer under way has so far."""
    slots = call(url.removesuffix("/v1"), "/slots")[1]
    return [slot["next_token"][0]["n_decoded"] for slot in slots if slot["is_processing"]]


def test_a_real_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=NAME, messages=FRANCE, temperature=0, max_tokens=30)
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == NAME
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 16, "the persona inside the model file would make it 37"
    assert answer.usage.total_tokens == 16 + answer.usage.completion_tokens


@pytest.mark.parametrize("asked", [True, False])
def test_a_stream_has_usage_if_asked(asked: bool, client: openai.OpenAI) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if asked else {}
    stream = client.chat.completions.create(
        model=NAME, messages=FRANCE, temperature=0, max_tokens=30, stream=True, **options
    )
    chunks = list(stream)
    assert "Paris" in "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    usages = [(bool(c.choices), c.usage.prompt_tokens) for c in chunks if c.usage]
    assert usages == ([(False, 16)] if asked else [])


def test_an_overlong_prompt_is_refused_at_once(runtime: EmbeddedRuntime, url: str) -> None:
    assert runtime.context_tokens == 512
    long = [{"role": "user", "content": "word " * 600}]
    for stream in (False, True):
        status, body = chat(url, messages=long, stream=stream)
        assert status == 400
        assert body["error"]["type"] == "exceed_context_size_error"
        assert body["error"]["n_ctx"] == 512
        assert body["error"]["n_prompt_tokens"] > 600


def test_an_answer_ends_with_the_context_or_a_quarter_of_it(url: str) -> None:
    almost = [{"role": "user", "content": "word " * 480}]
    _, full = chat(url, messages=almost, max_tokens=400, ignore_eos=True)
    assert full["choices"][0]["finish_reason"] == "length"
    assert full["usage"]["total_tokens"] == 512
    _, free = chat(url, max_tokens=None, ignore_eos=True)
    assert free["choices"][0]["finish_reason"] == "length"
    assert free["usage"]["completion_tokens"] == 128


def test_the_model_of_a_request_is_not_looked_at(url: str) -> None:
    assert chat(url, model="something-else")[1]["model"] == NAME
    assert [m["id"] for m in call(url, "/models")[1]["data"]] == [NAME]


def test_temperature_is_the_makers_where_the_request_has_none(url: str) -> None:
    props = call(url.removesuffix("/v1"), "/props")[1]
    assert props["default_generation_settings"]["params"]["temperature"] == pytest.approx(0.2)


def test_logprobs(url: str) -> None:
    tokens = chat(url, logprobs=True, top_logprobs=2, max_tokens=3)[1]["choices"][0]["logprobs"]["content"]
    assert len(tokens) == 3
    assert all(t["logprob"] <= 0 and len(t["top_logprobs"]) == 2 for t in tokens)


def test_response_format_is_enforced(url: str) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    text = chat(url, response_format=schema, max_tokens=100)[1]["choices"][0]["message"]["content"]
    person = json.loads(text)
    assert sorted(person) == ["name", "tall"]
    assert isinstance(person["tall"], bool)


def test_several_choices(url: str) -> None:
    assert [c["index"] for c in chat(url, n=2, max_tokens=2)[1]["choices"]] == [0, 1]


def test_tools_are_dropped_without_a_word(url: str) -> None:
    status, body = chat(url, tools=WEATHER, tool_choice="required")
    assert status == 200
    assert "tool_calls" not in body["choices"][0]["message"]
    assert body["usage"]["prompt_tokens"] == 16, "the model never saw them"


def test_what_it_refuses(url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    status, body = chat(url, messages=[{"role": "user", "content": [image]}])
    assert status == 500
    assert "image input is not supported" in body["error"]["message"]
    assert chat(url, messages="x")[0] == 400
    assert chat(url, temperature="hot")[0] == 400
    assert chat(url, a_field_of_tomorrow={"x": 1})[0] == 200


def test_text_parts(url: str) -> None:
    parts = [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of France?"}]
    body = chat(url, messages=[{"role": "user", "content": parts}])[1]
    assert "Paris" in body["choices"][0]["message"]["content"]


def test_busy_slots_make_requests_wait_not_fail(url: str) -> None:
    def ask(number: int) -> int:
        return chat(url, messages=[{"role": "user", "content": f"Count to {number}"}], max_tokens=4)[0]

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, range(12))) == {200}


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_stops_the_answer(stream: bool, url: str) -> None:
    parts = urlsplit(url)
    body = {"messages": FRANCE, "max_tokens": 480, "ignore_eos": True, "stream": stream}
    asked = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    asked.request("POST", parts.path + "/chat/completions", json.dumps(body))
    while not any(decoding(url)):
        pass
    asked.close()
    longest = 0
    time.sleep(QUIET_S)
    while under_way := decoding(url):
        longest = max(longest, *under_way)
        time.sleep(QUIET_S)
    assert longest < 300
