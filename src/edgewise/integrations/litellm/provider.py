"""A router as a provider of LiteLLM's: the models `edgewise/auto` and `edgewise/CANDIDATE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import msgspec
from litellm.llms.custom_llm import CustomLLM

from edgewise.domain.errors import EdgewiseError
from edgewise.integrations import waiting
from edgewise.integrations.answers import answer_in
from edgewise.integrations.asking import Asking, told
from edgewise.integrations.callers import Callers
from edgewise.integrations.feedback import send
from edgewise.integrations.litellm.errors import raised
from edgewise.integrations.opening import Opening
from edgewise.integrations.promises import together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from litellm import ModelResponse

    from edgewise.domain.decisions import Feedback
    from edgewise.integrations.answers import Answered, Choice, Usage
    from edgewise.library import Router, Source

PROVIDER = "edgewise"
HEADER = "x-edgewise-"
NOT_SENT = ("stream", "extra_body")


class EdgewiseLLM(CustomLLM):
    """A handler for `litellm.custom_provider_map`; `register` puts one there.

    `router` is an `edgewise.Router`, open or not, or what one is made of; `wishes` (`privacy="local"` …), by
    the names of the `x-edgewise-*` headers, hold for every request, and a request's own `extra_headers` say
    more. A response's `edgewise` says who gave it and why. Whoever called a tool gets its result.
    """

    def __init__(self, router: Router | Opening | Source | None = None, **wishes: str | None) -> None:
        super().__init__()
        self.opening = router if isinstance(router, Opening) else Opening(router)
        self._wishes = {name: said for name, said in wishes.items() if said is not None}
        self._callers = Callers()

    def feedback(self, on: ModelResponse | str, *, source: str = "user", **said: Any) -> Feedback:
        """Tell Edgewise what a response was worth: `success`, `rating`, `thumbs`, `quality`, `comment` …

        `on` is a response, or a decision's id. Raises RequestError for what says nothing.
        """
        return send(self.opening.now(), _decision_of(on), source=source, **said).result()

    def completion(self, *args: Any, **said: Any) -> ModelResponse:
        """One whole answer."""
        del args  # LiteLLM names everything
        try:
            router = self.opening.now()
            asking = self._asking(router, said)
            return self._whole(router.waited(asking.body()), asking)
        except EdgewiseError as error:
            raised(error)

    async def acompletion(self, *args: Any, **said: Any) -> ModelResponse:
        """The same where there is an event loop."""
        del args
        try:
            asking = self._asking(await self.opening.router(), said)
            return self._whole(await asking.body(), asking)
        except EdgewiseError as error:
            raised(error)

    def streaming(self, *args: Any, **said: Any) -> Iterator[Any]:
        """An answer as it comes."""
        del args
        try:
            router = self.opening.now()
            asking = self._asking(router, said)
            pieces = _Pieces(asking)
            for event in waiting.events(router, asking):
                self._callers.remember(asking, event)
                yield from pieces.of(event)
        except EdgewiseError as error:
            raised(error)
        yield pieces.last()

    async def astreaming(  # pyright: ignore[reportIncompatibleMethodOverride]  # LiteLLM's own is no generator
        self, *args: Any, **said: Any
    ) -> AsyncIterator[Any]:
        """The same where there is an event loop."""
        del args
        try:
            asking = self._asking(await self.opening.router(), said)
            pieces = _Pieces(asking)
            await asking.begin()
            try:
                async for event in asking.events():
                    self._callers.remember(asking, event)
                    for piece in pieces.of(event):
                        yield piece
            finally:
                await asking.aclose()
        except EdgewiseError as error:
            raised(error)
        yield pieces.last()

    def _asking(self, router: Router, said: dict[str, Any]) -> Asking:
        options: dict[str, Any] = said.get("optional_params") or {}
        messages: list[Any] = said["messages"]
        extra: dict[str, Any] = options.get("extra_body") or {}
        body: dict[str, Any] = {
            **{name: value for name, value in options.items() if name not in NOT_SENT},
            **extra,
            "model": said["model"],
            "messages": messages,
        }
        given: dict[str, str] = said.get("headers") or {}
        wishes = {n.lower().removeprefix(HEADER): v for n, v in given.items() if n.lower().startswith(HEADER)}
        return Asking(router, body, together(wishes, self._wishes), previous=self._callers.of(messages))

    def _whole(self, body: bytes, asking: Asking) -> ModelResponse:
        self._callers.remember(asking, answer_in(body))
        response = litellm.ModelResponse(**msgspec.json.decode(body, type=dict[str, Any]))
        noted: Any = response  # LiteLLM's answers take what else there is to say
        noted.edgewise = told(asking.decided, asking.outcome)
        return response


class _Pieces:
    """An answer's events as LiteLLM's chunks: the decision first, the bill last."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._begun = False
        self._finish = "stop"
        self._usage: Usage | None = None

    def of(self, event: Answered) -> Iterator[Any]:
        if not self._begun:
            self._begun = True
            yield _chunk("", provider_specific_fields={PROVIDER: told(self._asking.decided)})
        self._usage = event.usage or self._usage
        for choice in event.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            yield from _said(choice)

    def last(self) -> dict[str, Any]:
        asking, usage = self._asking, self._usage
        end = _chunk("", provider_specific_fields={PROVIDER: told(asking.decided, asking.outcome)})
        end["is_finished"], end["finish_reason"] = True, self._finish
        if usage is not None:
            total = usage.prompt_tokens + usage.completion_tokens
            end["usage"] = {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "total_tokens": total,
            }
        return end


def _said(choice: Choice) -> Iterator[Any]:
    """Words, and pieces of calls, one at a time."""
    if choice.said.content:
        yield _chunk(choice.said.content)
    for call in choice.said.tool_calls or ():
        function = {"name": call.function.name, "arguments": call.arguments_text}
        yield _chunk(
            "", tool_use={"id": call.id, "type": "function", "function": function, "index": call.index}
        )


def _chunk(text: str, **more: Any) -> dict[str, Any]:
    """A `GenericStreamingChunk`."""
    return {"text": text, "is_finished": False, "finish_reason": "", "usage": None, "index": 0, **more}


def _decision_of(on: ModelResponse | str) -> str:
    if isinstance(on, str):
        return on
    found: dict[str, Any] = getattr(on, PROVIDER, None) or {}
    if "decision_id" not in found:
        raise ValueError("Edgewise did not bring this response: it names no decision.")
    return found["decision_id"]


def register(router: Router | Opening | Source | None = None, **wishes: str | None) -> EdgewiseLLM:
    """Make `edgewise/auto`, `edgewise/auto:NAME` and `edgewise/CANDIDATE` models of LiteLLM's.

    The arguments are `EdgewiseLLM`'s. Whoever was registered before is replaced.
    """
    handler = EdgewiseLLM(router, **wishes)
    others = [item for item in litellm.custom_provider_map if item["provider"] != PROVIDER]
    litellm.custom_provider_map = [*others, {"provider": PROVIDER, "custom_handler": handler}]
    return handler
