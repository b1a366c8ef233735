"""What of pydantic-ai's requests and answers becomes what of OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_ai import UserError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ToolOrOutput
from pydantic_ai.tools import ToolDefinition

from edgewise.domain.decisions import Decision
from edgewise.domain.privacy import privacy_of
from edgewise.integrations.answers import answer_in, events_in
from edgewise.integrations.pydantic_ai.messages import messages_of, tools_of
from edgewise.integrations.pydantic_ai.responses import response_of
from edgewise.integrations.pydantic_ai.settings import wishes_of

TOOLS = [ToolDefinition(name="search"), ToolDefinition(name="add")]
OUTPUT = ToolDefinition(name="final_result", strict=True)
FREE = ModelRequestParameters(function_tools=TOOLS)
TYPED = ModelRequestParameters(function_tools=TOOLS, output_tools=[OUTPUT], allow_text_output=False)
DECISION = Decision(
    id="req_1",
    at=0.0,
    chosen="phi",
    location="edge",
    policy="fixed",
    reason="only_candidate",
    propensity=1.0,
    odds={"phi": 1.0},
    shortlist=("phi",),
)


@pytest.mark.parametrize(
    ("parameters", "choice", "sent", "said"),
    [
        (FREE, None, ["search", "add"], "auto"),
        (FREE, "auto", ["search", "add"], "auto"),
        (FREE, "none", ["search", "add"], "none"),
        (FREE, "required", ["search", "add"], "required"),
        (FREE, ["add"], ["add"], "required"),
        (FREE, ToolOrOutput(function_tools=["add"]), ["add"], "auto"),
        (TYPED, None, ["search", "add", "final_result"], "required"),
        (TYPED, [], ["final_result"], "required"),
        (TYPED, "required", ["search", "add"], "required"),
        (TYPED, ToolOrOutput(function_tools=["search"]), ["search", "final_result"], "required"),
    ],
)
def test_which_tools_may_be_called(
    parameters: ModelRequestParameters, choice: Any, sent: list[str], said: str
) -> None:
    body = tools_of(parameters, {"tool_choice": choice, "parallel_tool_calls": False})
    assert [tool["function"]["name"] for tool in body["tools"]] == sent
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (said, False)


def test_a_tool_that_is_not_there_cannot_be_chosen() -> None:
    with pytest.raises(UserError, match="there are: search, add"):
        tools_of(FREE, {"tool_choice": ["serach"]})
    with pytest.raises(UserError, match="no function tool to call"):
        tools_of(ModelRequestParameters(), {"tool_choice": "required"})
    assert tools_of(ModelRequestParameters(), {"parallel_tool_calls": True}) == {}


def test_instructions_stand_behind_the_standing_prompt() -> None:
    history: list[ModelMessage] = [
        ModelRequest([SystemPromptPart("You know cities."), UserPromptPart("Go")]),
        ModelResponse(
            [ThinkingPart("hm"), TextPart("A"), TextPart("B"), ToolCallPart("add", {"a": 1}, "c1")]
        ),
        ModelRequest([ToolReturnPart("add", {"sum": 2}, "c1")]),
        ModelResponse([ThinkingPart("only a thought")]),
    ]
    called = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    assert messages_of(history, ["Be brief.", "Be kind."]) == [
        {"role": "system", "content": "You know cities."},
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "A\n\nB", "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"sum":2}'},
    ]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("plain", [TextPart("plain")]),
        ("<think>a</think>b", [ThinkingPart("a"), TextPart("b")]),
        ("b<think>a</think>", [TextPart("b"), ThinkingPart("a")]),
        ("<think></think>b", [TextPart("b")]),
        ("<think>never ends", [TextPart("<think>never ends")]),
        ("a</think>b", [TextPart("a</think>b")]),
        ("", []),
    ],
)
def test_thoughts_are_told_from_words(content: str, parts: list[Any]) -> None:
    body = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
    assert response_of(answer_in(_json(body)), DECISION, None).parts == parts


def test_an_answer_that_was_withheld_says_so() -> None:
    body = {"choices": [{"message": {"refusal": "I may not."}, "finish_reason": "stop"}]}
    response = response_of(answer_in(_json(body)), DECISION, None)
    assert (response.parts, response.finish_reason, response.model_name) == ([], "content_filter", "phi")
    assert (response.provider_details or {})["refusal"] == "I may not."
    assert response.usage.unmeasured_requests == 1  # nobody counted, which is not the same as none


def test_an_event_may_stand_on_several_lines() -> None:
    piece = b': comment\n\ndata: {"choices": [{"delta":\ndata: {"content": "Hi"}}]}\n\ndata: [DONE]\n\n'
    assert [event.choices[0].said.content for event in events_in(piece)] == ["Hi"]


def test_what_a_model_insists_on_no_request_loosens() -> None:
    said = {
        "edgewise_privacy": "region:eu",
        "edgewise_objective": "cheapest",
        "timeout": 3,
        "extra_body": {"edgewise": {"privacy": "region:us", "trim": True}},
    }
    assert wishes_of(said, {"privacy": "local"}) == {
        "privacy": "local",
        "objective": "cheapest",
        "deadline_s": 3.0,
        "trim": True,
    }
    with pytest.raises(UserError, match="number of seconds"):
        wishes_of({"timeout": object()}, {})


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def test_a_request_s_own_promise_holds_beside_the_model_s() -> None:
    told = wishes_of({"edgewise_privacy": "local", "extra_body": {}}, {"privacy": "region:eu"})
    assert privacy_of(told["privacy"]) == "local"
    told = wishes_of({"edgewise_privacy": "region:eu", "extra_body": {"edgewise": {"privacy": "local"}}}, {})
    assert privacy_of(told["privacy"]) == "local"
