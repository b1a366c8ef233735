"""A router as a chat model of LangChain's."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, convert_to_openai_messages
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from edgewise.domain.errors import EdgewiseError
from edgewise.integrations import waiting
from edgewise.integrations.asking import Asking
from edgewise.integrations.feedback import send
from edgewise.integrations.langchain.errors import raised
from edgewise.integrations.langchain.messages import (
    answered_last,
    chunk_of,
    decided,
    decision_of,
    ended,
    message_of,
    usage_of,
)
from edgewise.integrations.opening import Opening
from edgewise.integrations.promises import together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from edgewise.domain.decisions import Feedback
    from edgewise.integrations.answers import Answered, Usage

WISHES = ("privacy", "objective", "session", "candidates", "deadline_s", "priority", "fallback")
METHODS = ("json_schema", "function_calling", "json_mode")


class ChatEdgewise(BaseChatModel):
    """A LangChain chat model behind which Edgewise chooses, request by request, who answers.

    `router` is an `edgewise.Router`, or what one is made of: a configuration file, settings, or a list of
    candidates. One that is not open is opened when it is first asked, and ends with the program. `model` is
    `"auto"`, `"auto:NAME"` for another policy, or a candidate's id, a strict pin. `privacy` (`"local"`),
    `objective`, `session` and `candidates` hold for every request; a single one may wish for more:
    `model.invoke("…", privacy="local", deadline_s=5)`. Any other keyword goes into the chat body.

    A message's `response_metadata` hold `decision_id`, `candidate`, `location`, `policy` and `reason`, in a
    stream before the first word. Whoever called a tool gets its result. Errors are LangChain's `ModelError`s.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    router: Any = Field(default=None, exclude=True, repr=False)
    model: str = "auto"
    privacy: str | None = None
    objective: str | None = None
    session: str | None = None
    candidates: list[str] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    _opening: Opening = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Take the router as it is, or get ready to open one."""
        super().model_post_init(context)
        self._opening = self.router if isinstance(self.router, Opening) else Opening(self.router)

    @property
    def _llm_type(self) -> str:
        return "edgewise"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """What tells its cached answers from another's."""
        return {"model": self.model, **self._usual(), **self._insisted()}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call; `tool_choice` is a tool's name, "any", "auto" or "none"."""
        made = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        if tool_choice:
            kwargs["tool_choice"] = _choice(tool_choice)
        return self.bind(tools=made, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: str = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """The model whose answers are objects of a schema.

        `method` is "json_schema", for candidates that can be held to one; "function_calling"; or "json_mode",
        where the prompt itself says what is wanted. Raises ValueError for any other.
        """
        if method not in METHODS:
            raise ValueError(f"The method '{method}' does not exist; there are {', '.join(METHODS)}.")
        if method == "function_calling":
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        model = self.bind(response_format=_format(schema, method, strict=strict), **kwargs)
        parser = _parser(schema)
        if not include_raw:
            return model | parser
        parsed = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        ).with_fallbacks([RunnablePassthrough.assign(parsed=lambda _: None)], exception_key="parsing_error")
        return RunnableMap(raw=model) | parsed

    def feedback(self, on: BaseMessage | str, *, source: str = "user", **said: Any) -> Feedback:
        """Tell Edgewise what an answer was worth: `success`, `rating`, `thumbs`, `quality`, `comment` …

        `on` is a message, or a decision's id. Raises RequestError for what says nothing.
        """
        return send(self._opening.now(), decision_of(on), source=source, **said).result()

    async def afeedback(self, on: BaseMessage | str, *, source: str = "user", **said: Any) -> Feedback:
        """The same where there is an event loop."""
        return await send(await self._opening.router(), decision_of(on), source=source, **said)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        try:
            router = self._opening.now()
            asking = Asking(router, *self._said(messages, stop, kwargs), previous=answered_last(messages))
            answer = waiting.whole(router, asking)
        except EdgewiseError as error:
            raised(error)
        return _result(answer, asking)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        try:
            router = await self._opening.router()
            asking = Asking(router, *self._said(messages, stop, kwargs), previous=answered_last(messages))
            answer = await asking.whole()
        except EdgewiseError as error:
            raised(error)
        return _result(answer, asking)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        try:
            router = self._opening.now()
            asking = Asking(router, *self._said(messages, stop, kwargs), previous=answered_last(messages))
            pieces = _Pieces(asking)
            for event in waiting.events(router, asking):
                for chunk in pieces.of(event):
                    if run_manager is not None:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        except EdgewiseError as error:
            raised(error)
        yield pieces.last()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            router = await self._opening.router()
            asking = Asking(router, *self._said(messages, stop, kwargs), previous=answered_last(messages))
            pieces = _Pieces(asking)
            await asking.begin()
            try:
                async for event in asking.events():
                    for chunk in pieces.of(event):
                        if run_manager is not None:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
            finally:
                await asking.aclose()
        except EdgewiseError as error:
            raised(error)
        yield pieces.last()

    def _said(
        self, messages: list[BaseMessage], stop: list[str] | None, more: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The chat body, and what the model insists on whatever the body says."""
        wishes = {name: more[name] for name in WISHES if more.get(name) is not None}
        body: dict[str, Any] = {
            "model": self.model,
            **self._usual(),
            **{name: value for name, value in more.items() if name not in WISHES and value is not None},
            "messages": convert_to_openai_messages(messages),
        }
        if stop:
            body["stop"] = stop
        body["edgewise"] = together(body.get("edgewise") or {}, wishes)
        return body, self._insisted()

    def _usual(self) -> dict[str, Any]:
        said = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {**{name: value for name, value in said.items() if value is not None}, **self.model_kwargs}

    def _insisted(self) -> dict[str, str]:
        only = None if self.candidates is None else ",".join(self.candidates)
        said = {
            "privacy": self.privacy,
            "objective": self.objective,
            "session": self.session,
            "candidates": only,
        }
        return {name: value for name, value in said.items() if value is not None}


class _Pieces:
    """An answer's events as LangChain's chunks: the decision first, the bill last."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._begun = False
        self._model: str | None = None
        self._finish: str | None = None
        self._usage: Usage | None = None

    def of(self, event: Answered) -> Iterator[ChatGenerationChunk]:
        if not self._begun:
            self._begun = True
            metadata = decided(self._asking.decided)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=metadata))
        self._model = event.model or self._model
        self._usage = event.usage or self._usage
        for choice in event.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            yield ChatGenerationChunk(message=chunk_of(choice))

    def last(self) -> ChatGenerationChunk:
        model = self._model or self._asking.decided.chosen
        return ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                response_metadata=ended(self._asking.outcome, model, self._finish),
                usage_metadata=usage_of(self._usage),
                chunk_position="last",
            )
        )


def _result(answer: Answered, asking: Asking) -> ChatResult:
    message = message_of(answer, asking.decided, asking.outcome)
    return ChatResult(generations=[ChatGeneration(message=message)])


def _parser(schema: dict[str, Any] | type) -> Any:
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return PydanticOutputParser[Any](pydantic_object=schema)
    return JsonOutputParser()


def _choice(said: str | dict[str, Any] | bool) -> str | dict[str, Any]:  # noqa: FBT001 - LangChain's own
    match said:
        case True | "any":
            return "required"
        case dict() | "auto" | "none" | "required":
            return said
        case _:
            return {"type": "function", "function": {"name": said}}


def _format(schema: dict[str, Any] | type, method: str, *, strict: bool | None) -> dict[str, Any]:
    """`response_format` of a chat body."""
    if method == "json_mode":
        return {"type": "json_object"}
    made = convert_to_openai_function(schema, strict=strict)
    named = {"name": made["name"], "schema": made["parameters"]}
    if strict is not None:
        named["strict"] = strict
    return {"type": "json_schema", "json_schema": named}
