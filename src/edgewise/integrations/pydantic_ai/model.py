"""A router in the slot of a model."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic_ai.messages import ModelRequest, ModelResponse, ToolReturnPart
from pydantic_ai.models import Model, check_allow_model_requests
from pydantic_ai.profiles import ModelProfile, merge_profile

from edgewise.domain.errors import EdgewiseError
from edgewise.integrations.asking import Asking
from edgewise.integrations.feedback import send
from edgewise.integrations.opening import Opening
from edgewise.integrations.pydantic_ai.errors import raised
from edgewise.integrations.pydantic_ai.messages import format_of, messages_of, tools_of
from edgewise.integrations.pydantic_ai.responses import (
    SYSTEM,
    TAGS,
    RoutedStream,
    decided_in,
    decision_of,
    response_of,
)
from edgewise.integrations.pydantic_ai.settings import body_of, wishes_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from types import TracebackType

    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import ModelRequestParameters, StreamedResponse
    from pydantic_ai.profiles import ModelProfileSpec
    from pydantic_ai.run import AgentRunResult
    from pydantic_ai.settings import ModelSettingName, ModelSettings
    from pydantic_ai.tools import RunContext

    from edgewise.domain.decisions import Feedback
    from edgewise.library import Pending, Router, Source

# What a chat body can say; whether a candidate can read it is for the constraints to tell.
PROFILE = ModelProfile(
    supports_json_schema_output=True,
    supports_document_input=False,
    supports_audio_file_input=False,
    supports_video_input=False,
    supported_native_tools=frozenset(),
    thinking_tags=TAGS,
)


class RoutedModel(Model[Any]):
    """A pydantic-ai model behind which Edgewise chooses, request by request, who answers.

    `router` is an `edgewise.Router`, or what one is made of: a configuration file, settings, or a list of
    candidates. One that is not open is opened when it is first asked, on a thread of its own, and ends with
    the program, or where the model (or its agent) was entered with `async with`, there.

    `model` is `"auto"`, `"auto:NAME"` for another policy, or a candidate's id, a strict pin. `privacy`
    (`"local"`), `objective`, `session` and `candidates` hold for every request, whatever its settings say.

    Whoever called a tool gets its result. Another takes over from a candidate that fails before its first
    event. Each response's `model_name` and `provider_details` say who answered, and why.
    """

    unsupported_settings: ClassVar[frozenset[ModelSettingName]] = frozenset(
        {"top_k", "max_retries", "extra_headers", "citations", "service_tier"}
    )

    def __init__(  # noqa: PLR0913 - everything but the router is optional
        self,
        router: Router | Opening | Source | None = None,
        model: str = "auto",
        *,
        privacy: str | None = None,
        objective: str | None = None,
        session: str | None = None,
        candidates: Sequence[str] | None = None,
        settings: ModelSettings | None = None,
        profile: ModelProfileSpec | None = None,
    ) -> None:
        super().__init__(settings=settings, profile=_over(profile))
        self._opening = router if isinstance(router, Opening) else Opening(router)
        self._model = model
        said = {
            "privacy": privacy,
            "objective": objective,
            "session": session,
            "candidates": None if candidates is None else list(candidates),
        }
        self._wishes = {name: value for name, value in said.items() if value is not None}

    async def feedback(
        self, on: AgentRunResult[Any] | ModelResponse | str, *, source: str = "user", **said: Any
    ) -> Feedback:
        """Tell Edgewise what an answer was worth: `success`, `rating`, `thumbs`, `quality`, `comment` …

        `on` is a run's result, a response, or a decision's id. Raises RequestError for what says nothing.
        """
        return await send(await self._opening.router(), decision_of(on), source=source, **said)

    @property
    def model_name(self) -> str:
        """What is asked for; who answered stands in each response."""
        return self._model

    @property
    def _is_pinned(self) -> bool:
        return self._model != "auto" and not self._model.startswith("auto:")

    @property
    def system(self) -> str:
        """Who chooses."""
        return SYSTEM

    async def __aenter__(self) -> Self:
        """Open the router, if it is not open."""
        await self._opening.enter()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Close the router, if it was opened here and nobody else is using it."""
        await self._opening.leave()

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """One whole answer. Raises pydantic-ai's own errors."""
        check_allow_model_requests()
        settings, parameters = self.prepare_request(model_settings, model_request_parameters)
        try:
            asking = await self._asking(messages, settings or {}, parameters)
            answer = await asking.whole()
        except EdgewiseError as error:
            raised(error, self._model)
        return response_of(answer, asking.decided, asking.outcome)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """An answer as it comes; until its first event another candidate may take over."""
        del run_context
        check_allow_model_requests()
        settings, parameters = self.prepare_request(model_settings, model_request_parameters)
        try:
            asking = await self._asking(messages, settings or {}, parameters)
            await asking.begin()
        except EdgewiseError as error:
            raised(error, self._model)
        try:
            yield RoutedStream(parameters, asking)
        finally:
            await asking.aclose()

    async def _asking(
        self,
        messages: list[ModelMessage],
        said: Mapping[str, Any],
        parameters: ModelRequestParameters,
    ) -> Asking:
        standing = self._get_instruction_parts(messages, parameters) or []
        body = {
            **body_of(said),
            "model": self._model,
            "messages": messages_of(messages, [part.content for part in standing]),
            **tools_of(parameters, said),
            **format_of(parameters),
            "edgewise": wishes_of(said, self._wishes),
        }
        return await self._placed(body, messages)

    async def _placed(self, body: dict[str, Any], messages: Sequence[ModelMessage]) -> Asking:
        """The request on its way: to whoever gave the conversation's last answer, or to whom it is best."""
        router = await self._opening.router()
        return Asking(router, body, previous=answered_last(messages), keep=brings_results(messages))


def feedback_on(
    router: Router, answer: AgentRunResult[Any] | ModelResponse | str, *, source: str = "user", **said: Any
) -> Pending[Feedback]:
    """The same for a program without an event loop: `feedback_on(router, result, rating=5).result()`."""
    return send(router, decision_of(answer), source=source, **said)


def answered_last(messages: Sequence[ModelMessage]) -> str | None:
    """The candidate that gave the conversation's last answer, if Edgewise brought it."""
    for message in reversed(messages):
        if isinstance(message, ModelResponse):
            return decided_in(message).get("candidate")
    return None


def brings_results(messages: Sequence[ModelMessage]) -> bool:
    """Whether the conversation ends with what a tool returned, in words or in files."""
    last = messages[-1] if messages else None
    return isinstance(last, ModelRequest) and any(isinstance(part, ToolReturnPart) for part in last.parts)


def _over(profile: ModelProfileSpec | None) -> ModelProfileSpec:
    """Our own profile, with the caller's on top of it."""
    if profile is None:
        return PROFILE
    if not callable(profile):
        return merge_profile(PROFILE, profile)
    change: Callable[[ModelProfile], ModelProfile] = profile
    return lambda usual: change(merge_profile(usual, PROFILE))
