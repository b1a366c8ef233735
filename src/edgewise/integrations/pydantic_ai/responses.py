"""What candidates answer → pydantic-ai's responses, whole and as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import StreamedResponse
from pydantic_ai.usage import RequestUsage

from edgewise.domain.errors import EdgewiseError
from edgewise.integrations.asking import told
from edgewise.integrations.pydantic_ai.errors import raised

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pydantic_ai.messages import FinishReason, ModelResponsePart, ModelResponseStreamEvent
    from pydantic_ai.run import AgentRunResult

    from edgewise.domain.decisions import Decision, Outcome
    from edgewise.integrations.answers import Answered, Choice, Usage
    from edgewise.integrations.asking import Asking

SYSTEM = "edgewise"
TAGS = ("<think>", "</think>")
FINISHED: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}


def response_of(answer: Answered, decision: Decision, outcome: Outcome | None) -> ModelResponse:
    """A whole answer. Its `provider_details` say who gave it and why."""
    choice = answer.choices[0]
    return ModelResponse(
        parts=list(_parts(choice)),
        usage=usage_of(answer.usage, outcome),
        model_name=answer.model or decision.chosen,
        provider_name=SYSTEM,
        provider_response_id=answer.id,
        provider_details={**told(decision, outcome), **_ended(choice)},
        finish_reason=_finish(choice),
    )


def _parts(choice: Choice) -> Iterator[ModelResponsePart]:
    said = choice.said
    if said.reasoning_content:
        yield ThinkingPart(said.reasoning_content)
    yield from _apart(said.content or "")
    for call in said.tool_calls or ():
        if call.function.name:
            part = ToolCallPart(call.function.name, call.function.arguments)
            yield part if call.id is None else ToolCallPart(part.tool_name, part.args, call.id)


def _apart(content: str) -> Iterator[ModelResponsePart]:
    """Words and, where a model writes them between tags, thoughts."""
    begin, end = TAGS
    while content:
        words, opened, rest = content.partition(begin)
        thought, closed, after = rest.partition(end)
        if not opened or not closed:
            words, thought, after = content, "", ""
        if words.strip():
            yield TextPart(words)
        if thought:
            yield ThinkingPart(thought)
        content = after.lstrip() if thought else after


def usage_of(usage: Usage | None, outcome: Outcome | None) -> RequestUsage:
    """Tokens as the endpoint counted them, and what Edgewise says that they cost."""
    counted = (
        RequestUsage(unmeasured_requests=1)
        if usage is None
        else RequestUsage(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            cache_read_tokens=usage.cached_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
        )
    )
    if outcome is not None and outcome.cost_usd is not None:
        counted.cost = Decimal(repr(outcome.cost_usd))
    return counted


def _finish(choice: Choice) -> FinishReason | None:
    return "content_filter" if choice.said.refusal else FINISHED.get(choice.finish_reason or "")


def _ended(choice: Choice) -> dict[str, Any]:
    """How the candidate itself says that it ended."""
    found = {"finish_reason": choice.finish_reason, "refusal": choice.said.refusal}
    return {name: value for name, value in found.items() if value}


def decided_in(response: ModelResponse) -> dict[str, Any]:
    """What a response says of the decision behind it; nothing where Edgewise did not bring it."""
    return (response.provider_details or {}) if response.provider_name == SYSTEM else {}


def decision_of(answer: AgentRunResult[Any] | ModelResponse | str) -> str:
    """The id of the decision behind an answer: for a run, behind its last. Raises UserError without one."""
    if isinstance(answer, str):
        return answer
    response = answer if isinstance(answer, ModelResponse) else answer.response
    found = decided_in(response).get("decision_id")
    if not isinstance(found, str):
        raise UserError("Edgewise did not bring this answer: its provider_details name no decision.")
    return found


@dataclass
class RoutedStream(StreamedResponse):
    """An answer as it comes; `provider_details` say from the first event on who gives it and why."""

    asking: Asking
    _model: str = field(default="", init=False)
    _began: datetime = field(default_factory=lambda: datetime.now(UTC), init=False)
    _counted: Usage | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Say who answers before there is anything to read."""
        self._model = self.asking.decided.chosen
        self.provider_details = told(self.asking.decided)

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        try:
            async for answer in self.asking.events():
                self._model = answer.model or self._model
                self.provider_response_id = answer.id or self.provider_response_id
                self._counted = answer.usage or self._counted
                for choice in answer.choices[:1]:
                    for event in self._events(choice):
                        yield event
        except EdgewiseError as error:
            raised(error, self._model, in_stream=True)
        self.provider_details = {
            **(self.provider_details or {}),
            **told(self.asking.decided, self.asking.outcome),
        }
        self._usage = usage_of(self._counted, self.asking.outcome)

    def _events(self, choice: Choice) -> Iterator[ModelResponseStreamEvent]:
        said, manager = choice.said, self._parts_manager
        self.finish_reason = _finish(choice) or self.finish_reason
        self.provider_details = {**(self.provider_details or {}), **_ended(choice)}
        if said.reasoning_content:
            yield from manager.handle_thinking_delta(vendor_part_id="thought", content=said.reasoning_content)
        if said.content:
            yield from manager.handle_text_delta(
                vendor_part_id="said",
                content=said.content,
                thinking_tags=TAGS,
                ignore_leading_whitespace=True,
            )
        for call in said.tool_calls or ():
            yield from manager.handle_tool_call_delta_events(
                vendor_part_id=f"call {call.index}",
                tool_name=call.function.name,
                args=call.function.arguments,
                tool_call_id=call.id,
            )

    async def close_stream(self) -> None:
        """Hang up, at the endpoint too."""
        await self.asking.aclose()

    @property
    def model_name(self) -> str:
        """Who answers, in the endpoint's own word where it says."""
        return self._model

    @property
    def provider_name(self) -> str:
        """Who brought the answer."""
        return SYSTEM

    @property
    def provider_url(self) -> None:
        """Nobody's: the answer came from a router in this process."""
        return

    @property
    def timestamp(self) -> datetime:
        """When the answer began."""
        return self._began
