"""Prompts are made by any pydantic-ai model: as many as wanted, each once, resumed where one was cut off."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.exceptions import ModelConnectionError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.profiles import ModelProfile

from edgewise.domain.errors import RequestError, SettingsError, TableError, UpstreamError
from edgewise.learning.prompts import read_prompts
from edgewise.learning.prompts.generate import Wanted, generate
from edgewise.learning.prompts.growing import Growing
from edgewise.learning.prompts.kinds import USUAL, Kind, kind_of, quotas
from edgewise.learning.prompts.tidy import side_of

NATIVE = ModelProfile(supports_json_schema_output=True)
TWO = (Kind("a", "the first", 3), Kind("b", "the second", 1))


def _wish(messages: list[ModelMessage]) -> tuple[str, int, str]:
    """The kind, the number and the whole of what a model was asked for."""
    said = "\n".join(str(getattr(part, "content", "")) for message in messages for part in message.parts)
    found = re.search(r"Write (\d+) different instructions of the kind '(.+)'", said)
    assert found
    return found[2], int(found[1]), said


def _model(write: Callable[[str, int], Any]) -> FunctionModel:
    """A model whose answer is what `write` says for a kind and a number: a list, or any text."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        kind, count, _ = _wish(messages)
        said = write(kind, count)
        body = json.dumps({"instructions": said}) if isinstance(said, list) else str(said)
        return ModelResponse(parts=[TextPart(body)])

    return FunctionModel(answer, profile=NATIVE)


def _counting() -> Callable[[str, int], list[str]]:
    state = Counter[str]()

    def write(kind: str, count: int) -> list[str]:
        state[kind] += count
        return [f"{kind} {number} {number**7}" for number in range(state[kind] - count, state[kind])]

    return write


def _made(path: Path, model: Any, **wanted: Any) -> dict[str, int]:
    with Growing(path) as file:
        return asyncio.run(generate(model, file, Wanted(**wanted)))


def test_kinds_come_in_their_shares_each_prompt_split_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    assert _made(path, _model(_counting()), count=40, kinds=TWO, source="generated:x", test=0.5) == {}
    prompts = list(read_prompts(path))
    assert Counter(prompt.kind for prompt in prompts) == {"a": 30, "b": 10}
    assert all(prompt.split == side_of(prompt.prompt, 0.5) for prompt in prompts)
    assert {prompt.source for prompt in prompts} == {"generated:x"}


def test_the_published_kinds_are_the_usual_ones_and_are_described(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        kind, _, said = _wish(messages)
        seen.append(said)
        assert "example instructions" in (info.instructions or "")
        return ModelResponse(
            parts=[TextPart(json.dumps({"instructions": [f"{len(seen)} {len(seen) ** 9} {kind}"]}))]
        )

    _made(tmp_path / "p.jsonl", FunctionModel(answer, profile=NATIVE), count=4, batch=1, concurrency=1)
    assert {kind.name for kind in USUAL} == {"time-critical", "quality-critical"}
    assert any("A bee stung me" in said for said in seen)
    assert any("IKEA" in said for said in seen)
    assert sum("These exist already" in said for said in seen) == 2  # the second request for each kind


def test_what_a_model_repeats_is_taken_once_and_a_dry_one_is_given_up(tmp_path: Path) -> None:
    asked = Counter[str]()
    near = "Please help me: there is a very large spider in my bathroom and I do not know what to do, no. {}"

    def write(kind: str, count: int) -> list[str]:
        asked[kind] += 1
        return [near.format(number) for number in range(count)] + ["same  words", "same words"]

    path = tmp_path / "prompts.jsonl"
    missing = _made(path, _model(write), count=20, kinds=(Kind("a", "x"),), patience=3, concurrency=1)
    assert missing == {"a": 18}
    assert [prompt.prompt for prompt in read_prompts(path)] == [near.format(0), "same  words"]
    assert asked["a"] == 1 + 3


def test_a_run_that_was_cut_off_goes_on_and_a_torn_line_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    write = _counting()
    _made(path, _model(write), count=12, kinds=TWO)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"prompt": "half of a l')
    asked = Counter[str]()

    def counted(kind: str, count: int) -> list[str]:
        asked[kind] += count
        return write(kind, count)

    assert _made(path, _model(counted), count=20, kinds=TWO) == {}
    assert path.read_bytes().startswith(whole)
    assert Counter(prompt.kind for prompt in read_prompts(path)) == {"a": 15, "b": 5}
    assert asked == {"a": 6, "b": 2}
    path.write_bytes(whole.rstrip(b"\n"))
    assert _made(path, _model(counted), count=12, kinds=TWO) == {}
    assert path.read_bytes() == whole


def test_an_interrupted_run_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    write, calls, stuck = _counting(), Counter[str](), asyncio.Event()

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        kind, count, _ = _wish(messages)
        calls["all"] += 1
        if calls["all"] > 2:
            stuck.set()
            await asyncio.Event().wait()
        return ModelResponse(parts=[TextPart(json.dumps({"instructions": write(kind, count)}))])

    async def run() -> None:
        with Growing(path) as file:
            task = asyncio.ensure_future(
                generate(FunctionModel(answer, profile=NATIVE), file, Wanted(40, kinds=TWO, concurrency=1))
            )
            await stuck.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert len(list(read_prompts(path))) == 20


def test_answers_out_of_form_are_no_prompts_and_make_batches_smaller(tmp_path: Path) -> None:
    sizes: list[int] = []
    write = _counting()

    def clumsy(kind: str, count: int) -> Any:
        sizes.append(count)
        return "Sure! Here are" if count > 3 else write(kind, count)

    assert _made(tmp_path / "p.jsonl", _model(clumsy), count=6, kinds=TWO[:1], batch=10, concurrency=1) == {}
    assert sizes[0] == 6
    assert sizes[-1] <= 3


def test_numbers_before_prompts_are_left_out(tmp_path: Path) -> None:
    said = ["1. Say hello.", " - Name a river.", "2) Count to ten.", "3 apples and 4 pears, how many?"]
    path = tmp_path / "prompts.jsonl"
    assert _made(path, _model(lambda *_: said), count=4, kinds=TWO[:1]) == {}
    assert [prompt.prompt for prompt in read_prompts(path)] == [
        "Say hello.",
        "Name a river.",
        "Count to ten.",
        "3 apples and 4 pears, how many?",
    ]


@pytest.mark.parametrize("said", [["", "  ", "a \x00b", "x " * 5000, "word", "3. word"], "nonsense", []])
def test_a_model_that_never_writes_a_prompt_is_given_up(tmp_path: Path, said: Any) -> None:
    assert _made(tmp_path / "p.jsonl", _model(lambda *_: said), count=6, kinds=TWO[:1]) == {"a": 6}


def test_a_model_that_fails_is_asked_again_and_then_left_alone(tmp_path: Path) -> None:
    calls = Counter[str]()
    write = _counting()

    def failing(kind: str, count: int) -> list[str]:
        calls["all"] += 1
        if calls["all"] != 2:
            raise ModelConnectionError("x", "the line is down")
        return write(kind, count)

    path = tmp_path / "prompts.jsonl"
    with pytest.raises(UpstreamError, match="No more prompts can be made: the line is down"):
        _made(path, _model(failing), count=30, kinds=TWO[:1], concurrency=1)
    assert len(list(read_prompts(path))) == 10
    assert calls["all"] == 5


def test_a_tool_or_a_plain_request_holds_a_model_to_the_form_too(tmp_path: Path) -> None:
    written = {"instructions": ["say one", "say two"]}
    model: Any = TestModel(custom_output_args=written)
    assert _made(tmp_path / "tool.jsonl", model, count=2, kinds=TWO[:1], structure="tool") == {}

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        assert not info.output_tools
        assert "JSON" in str(messages) + str(info.instructions)
        return ModelResponse(parts=[TextPart(json.dumps(written))])

    path = tmp_path / "prompted.jsonl"
    assert _made(path, FunctionModel(answer), count=2, kinds=TWO[:1], structure="prompted") == {}

    def call(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"instructions": "no list"})])

    assert _made(tmp_path / "bad.jsonl", FunctionModel(call), count=2, kinds=TWO[:1], structure="tool") == {
        "a": 2
    }


def test_a_model_that_lacks_what_is_asked_of_it_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    model = FunctionModel(lambda *_: ModelResponse(parts=[TextPart("{}")]), profile=ModelProfile())
    with pytest.raises(SettingsError, match="No prompts can be made"):
        _made(tmp_path / "p.jsonl", model, count=2)


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    for content in ("my notes", "my notes\nof today\n"):
        path.write_text(content)
        with pytest.raises(TableError):
            _made(path, _model(_counting()), count=2)
        assert path.read_text() == content


@given(st.integers(1, 500), st.lists(st.floats(0.01, 100), min_size=1, max_size=6))
def test_quotas_add_up_and_keep_to_the_shares(count: int, shares: list[float]) -> None:
    kinds = [Kind(str(number), "x", share) for number, share in enumerate(shares)]
    found = quotas(kinds, count)
    assert sum(found.values()) == count
    assert all(abs(found[kind.name] - count * kind.share / sum(shares)) < 1 for kind in kinds)


def test_a_kind_is_spelled_in_one_line() -> None:
    assert kind_of("recipes=0.5: about cooking: fast") == Kind("recipes", "about cooking: fast", 0.5)
    assert kind_of("on call : somebody is waiting") == Kind("on call", "somebody is waiting", 1.0)
    for said in ("recipes", "recipes=0.5", ": x", "recipes=no: x", "recipes=0: x", "recipes=inf: x", "a=1:"):
        with pytest.raises(RequestError, match="--kind"):
            kind_of(said)


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RequestError, match="--number must be at least 1"):
        Wanted(0)
    with pytest.raises(RequestError, match="--batch must be at least 1"):
        Wanted(1, batch=0)
    with pytest.raises(RequestError, match="'a' is described twice"):
        Wanted(1, kinds=(Kind("a", "x"), Kind("a", "y")))
