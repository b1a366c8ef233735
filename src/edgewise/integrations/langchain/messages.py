"""What candidates answer → LangChain's messages, whole and in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.output_parsers.openai_tools import make_invalid_tool_call, parse_tool_call

from edgewise.integrations.asking import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_core.messages import BaseMessage

    from edgewise.domain.decisions import Decision, Outcome
    from edgewise.integrations.answers import Answered, Choice, Said, ToolCall, Usage

PROVIDER = "edgewise"


def message_of(answer: Answered, decision: Decision, outcome: Outcome | None) -> AIMessage:
    """A whole answer. Its `response_metadata` say who gave it and why."""
    choice = answer.choices[0]
    calls, invalid = _calls(choice.said.tool_calls or ())
    return AIMessage(
        content=choice.said.content or "",
        additional_kwargs=_beside(choice.said),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage_of(answer.usage),
        response_metadata={
            **decided(decision),
            **ended(outcome, answer.model or decision.chosen, choice.finish_reason),
        },
    )


def _calls(said: Iterable[ToolCall]) -> tuple[list[Any], list[Any]]:
    """The calls of tools, and those whose arguments are no JSON."""
    calls: list[Any] = []
    invalid: list[Any] = []
    for call in said:
        written = {
            "id": call.id,
            "function": {"name": call.function.name, "arguments": call.arguments_text},
        }
        try:
            calls.append(parse_tool_call(written))
        except OutputParserException as error:
            invalid.append(make_invalid_tool_call(written, str(error)))
    return calls, invalid


def chunk_of(choice: Choice) -> AIMessageChunk:
    """The piece of an answer that one event brings."""
    said = choice.said
    pieces = [
        tool_call_chunk(
            name=call.function.name, args=call.arguments_text or None, id=call.id, index=call.index
        )
        for call in said.tool_calls or ()
    ]
    return AIMessageChunk(
        content=said.content or "", additional_kwargs=_beside(said), tool_call_chunks=pieces
    )


def _beside(said: Said) -> dict[str, Any]:
    """What is neither words nor calls; LangChain knows the names."""
    beside = {"reasoning_content": said.reasoning_content, "refusal": said.refusal}
    return {name: value for name, value in beside.items() if value}


def usage_of(usage: Usage | None) -> UsageMetadata | None:
    """Tokens as the endpoint counted them."""
    if usage is None:
        return None
    return UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        input_token_details=InputTokenDetails(cache_read=usage.cached_tokens),
        output_token_details=OutputTokenDetails(reasoning=usage.reasoning_tokens),
    )


def decided(decision: Decision) -> dict[str, Any]:
    """What is known before the first word."""
    return {"model_provider": PROVIDER, **told(decision)}


def ended(outcome: Outcome | None, model: str, finish_reason: str | None) -> dict[str, Any]:
    """What is known after the last: in a stream, nothing of it may come twice."""
    found: dict[str, Any] = {"model_name": model, "finish_reason": finish_reason}
    if outcome is not None and outcome.cost_usd is not None:
        found["cost_usd"], found["cost_state"] = outcome.cost_usd, outcome.cost_state
    return found


def decision_of(answer: BaseMessage | str) -> str:
    """The id of the decision behind a message. Raises ValueError without one."""
    if isinstance(answer, str):
        return answer
    found: str | None = _ours(answer).get("decision_id")
    if found is None:
        raise ValueError("Edgewise did not bring this message: its response_metadata name no decision.")
    return found


def answered_last(messages: Sequence[BaseMessage]) -> str | None:
    """The candidate that gave the conversation's last answer, if Edgewise brought it."""
    for message in reversed(messages):
        if message.type == "ai":
            return _ours(message).get("candidate")
    return None


def _ours(message: BaseMessage) -> dict[str, Any]:
    said: dict[str, Any] = message.response_metadata
    return said if said.get("model_provider") == PROVIDER else {}
