"""The product's first day: no configuration, no key, a real model, the official client."""

from __future__ import annotations

import base64
import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.servers import Running, gateway

from edgewise.domain.places import home

QUESTION: Any = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`edgewise serve` as `make run` starts it: nothing configured, the models already pulled."""
    state = tmp_path_factory.mktemp("real")
    (state / "models").symlink_to(home() / "models")
    keyless = {name: "" for name in os.environ if name.endswith("_API_KEY")}
    with gateway(state, "[policy]\nexplore = 0.0\n", env=keyless, started=True) as running:
        yield running


@pytest.fixture
def client(real: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{real.url}/v1", api_key="any", max_retries=0, timeout=120) as opened:
        yield opened


def test_a_real_answer(client: openai.OpenAI, real: Running) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="auto", messages=QUESTION, temperature=0, max_tokens=20
    )
    answer = raw.parse()
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert raw.headers["x-edgewise-location"] == "edge"
    outcome = real.get(f"/v1/decisions/{raw.headers['x-request-id']}")[1]["outcome"]
    assert outcome["cost_usd"] == 0
    assert outcome["output_tokens"] == answer.usage.completion_tokens


def test_a_real_stream(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="smollm2-135m", messages=QUESTION, temperature=0, max_tokens=20, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
    assert "Paris" in "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_the_simulated_cloud_is_labelled_and_priced(client: openai.OpenAI, real: Running) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="cloud-simulated", messages=QUESTION, temperature=0, max_tokens=5
    )
    told = real.get(f"/v1/decisions/{raw.headers['x-request-id']}")[1]
    assert told["simulated"] is True
    assert told["location"] == "cloud"
    assert told["outcome"]["cost_usd"] > 0


def test_embeddings(client: openai.OpenAI) -> None:
    vectors = client.embeddings.create(model="minilm", input=["a cat", "a kitten", "a tax form"])
    first, second, third = (item.embedding for item in vectors.data)
    assert len(first) == 384

    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert cosine(first, second) > cosine(first, third)
    assert vectors.usage.prompt_tokens > 0


def test_embeddings_as_floats_and_base64_agree(real: Running) -> None:
    floats = real.post("/v1/embeddings", {"model": "minilm", "input": "hi"})[1]["data"][0]["embedding"]
    coded = real.post("/v1/embeddings", {"model": "minilm", "input": "hi", "encoding_format": "base64"})[1]
    decoded = struct.unpack("<384f", base64.b64decode(coded["data"][0]["embedding"]))
    assert list(decoded) == pytest.approx(floats, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"model": "smollm2-135m", "input": "hi"}, 404), ({"model": "minilm", "input": []}, 400),
     ({"model": "minilm", "input": ""}, 400), ({"model": "minilm", "input": [1, 2]}, 400),
     ({"model": "minilm", "input": "hi", "dimensions": 12}, 400)],
)  # fmt: skip
def test_bad_embeddings(real: Running, body: dict[str, Any], status: int) -> None:
    code, answer = real.post("/v1/embeddings", body)
    assert code == status
    assert answer["error"]["message"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(home() / "models")
    config = '[[candidates]]\nid = "small"\nlocation = "edge"\nembedded = "smollm2-135m"\n'
    with gateway(tmp_path, config, started=True) as running:
        assert children(running.process.pid)
        born = children(running.process.pid)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in born):
            time.sleep(0.05)
        assert not any(alive(pid) for pid in born)


def children(pid: int) -> list[int]:
    return [
        int(word)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for word in (task / "children").read_text().split()
    ]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
