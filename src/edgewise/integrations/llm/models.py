"""The models that `llm` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import llm
import msgspec
from llm.errors import ModelError
from llm.parts import StreamEvent

from edgewise.domain.errors import EdgewiseError
from edgewise.integrations import waiting
from edgewise.integrations.asking import Asking, told
from edgewise.integrations.llm.bodies import EdgewiseOptions, body_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from llm.models import AsyncConversation, AsyncResponse, Conversation, Prompt, Response

    from edgewise.integrations.answers import Answered, Usage
    from edgewise.integrations.opening import Opening

NAME = "edgewise"
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


class _Edgewise:
    """What both models are."""

    model_id = NAME
    can_stream = True
    supports_schema = True
    supports_tools = True
    attachment_types: set[str] | frozenset[str] = PICTURES
    Options = EdgewiseOptions

    def __init__(self, opening: Opening) -> None:
        self._opening = opening


class EdgewiseModel(_Edgewise, llm.Model):
    """Whoever is best for the prompt, as a model of `llm`.

    A response's JSON, which `llm logs --json` shows, names the decision: who answered, and why.
    """

    def execute(
        self,
        prompt: Prompt,
        stream: bool,  # noqa: FBT001 - llm's own
        response: Response,
        conversation: Conversation | None,
    ) -> Iterator[str | StreamEvent]:
        """The answer as it comes. Raises ModelError with Edgewise's sentence."""
        try:
            router = self._opening.now()
            asking = Asking(router, body_of(prompt), previous=_answered_last(conversation))
            heard = _Heard(response)
            answers = waiting.events(router, asking) if stream else [waiting.whole(router, asking)]
            for answer in answers:
                yield from heard.events(answer)
        except EdgewiseError as error:
            raise ModelError(str(error)) from error
        heard.end(asking)


class EdgewiseAsyncModel(_Edgewise, llm.AsyncModel):
    """The same for an event loop."""

    async def execute(
        self,
        prompt: Prompt,
        stream: bool,  # noqa: FBT001 - llm's own
        response: AsyncResponse,
        conversation: AsyncConversation | None,
    ) -> AsyncGenerator[str | StreamEvent, None]:
        """The answer as it comes. Raises ModelError with Edgewise's sentence."""
        heard = _Heard(response)
        try:
            router = await self._opening.router()
            asking = Asking(router, body_of(prompt), previous=_answered_last(conversation))
            if not stream:
                for event in heard.events(await asking.whole()):
                    yield event
            else:
                await asking.begin()
                try:
                    async for answer in asking.events():
                        for event in heard.events(answer):
                            yield event
                finally:
                    await asking.aclose()
        except EdgewiseError as error:
            raise ModelError(str(error)) from error
        heard.end(asking)


class _Heard:
    """What has been said so far, and what `llm` is to note of it."""

    def __init__(self, response: Response | AsyncResponse) -> None:
        self._response = response
        self._model: str | None = None
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._names: dict[int, str] = {}
        self._ids: dict[int, str | None] = {}
        self._arguments: dict[int, str] = {}

    def events(self, answer: Answered) -> Iterator[StreamEvent]:
        """The pieces that one answer, or one event of it, brings."""
        self._model = answer.model or self._model
        self._usage = answer.usage or self._usage
        for choice in answer.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            if thought := choice.said.reasoning_content:
                yield StreamEvent(type="reasoning", chunk=thought)
            if words := choice.said.content:
                yield StreamEvent(type="text", chunk=words)
            for number, call in enumerate(choice.said.tool_calls or ()):
                at = call.index or number
                if call.function.name and at not in self._names:
                    self._names[at], self._ids[at] = call.function.name, call.id
                    yield StreamEvent(type="tool_call_name", chunk=call.function.name, tool_call_id=call.id)
                if arguments := call.arguments_text:
                    self._arguments[at] = self._arguments.get(at, "") + arguments
                    known = self._ids.get(at)
                    yield StreamEvent(type="tool_call_args", chunk=arguments, tool_call_id=known)

    def end(self, asking: Asking) -> None:
        """Note calls, tokens, and the decision. Raises ModelError for arguments that are no JSON."""
        response, decision = cast("Any", self._response), asking.decided
        for at, name in self._names.items():
            arguments = _parsed(name, self._arguments.get(at) or "{}")
            response.add_tool_call(llm.ToolCall(name=name, arguments=arguments, tool_call_id=self._ids[at]))
        if self._usage is not None:
            response.set_usage(input=self._usage.prompt_tokens, output=self._usage.completion_tokens)
        response.set_resolved_model(self._model or decision.chosen)
        said = {**told(decision, asking.outcome), "finish_reason": self._finish}
        response.response_json = {NAME: said}


def _parsed(name: str, arguments: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(arguments, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"The call of the tool '{name}' has arguments that are no JSON: {error}.") from error


def _answered_last(conversation: Conversation | AsyncConversation | None) -> str | None:
    """The candidate that gave the conversation's last answer, if Edgewise brought it."""
    if conversation is None or not conversation.responses:
        return None
    said: dict[str, Any] = conversation.responses[-1].response_json or {}
    ours: dict[str, Any] = said.get(NAME) or {}
    return ours.get("candidate")
