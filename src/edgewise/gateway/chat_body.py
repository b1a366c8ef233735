"""A chat body as it came in → a `Request`; anything wrong becomes one sentence with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from edgewise.domain.errors import RequestError, SettingsError
from edgewise.domain.ids import mint
from edgewise.domain.objectives import spelled
from edgewise.domain.privacy import privacy_of
from edgewise.domain.requests import Needs, Request, Turn, Wishes
from edgewise.domain.tokens import (
    CHARACTERS_PER_TOKEN,
    TOKENS_PER_IMAGE,
    TOKENS_PER_MESSAGE,
    tokens_in,
)
from edgewise.gateway.callers import NOBODY
from edgewise.gateway.json_body import check_keys, check_once, decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgewise.gateway.callers import Caller

NOT_BLANK = re.compile(r"\S")
SESSION = re.compile(r"[\x21-\x7e]{1,128}")
LONGEST_DEADLINE_S = 86_400.0
MOST = 2**31  # tokens or answers that anybody can mean; whoever reckons with more loses digits
MOST_CANDIDATES, LONGEST_ID = 100, 200
NO_TOOLS = (b"", b"null", b"[]")
TOOL_ROLES = ("tool", "function")
OURS = "edgewise"
PREFIX = b"x-edgewise-"
EXTENSIONS = ("privacy", "session", "objective", "candidates", "deadline", "priority", "fallback")


class _Part(Struct):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Call(Struct):
    arguments: Any = None  # a JSON text; some clients send the object itself
    input: str | None = None


class _ToolCall(Struct):
    function: _Call | None = None
    custom: _Call | None = None


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Call | None = None


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _ResponseFormat(Struct):
    type: str = "text"


class _Objective(Struct, forbid_unknown_fields=True):
    name: str
    weight: float | None = None
    floor: float | None = None


class _Extension(Struct, forbid_unknown_fields=True):
    privacy: str | None = None
    session: str | None = None
    objective: str | _Objective | None = None
    candidates: list[str] | str | None = None
    deadline_s: float | None = None
    priority: str | None = None
    fallback: bool | None = None
    metadata: dict[str, str] | None = None
    trim: bool | None = None


class _ChatBody(Struct):
    messages: list[_Message]
    model: str | UnsetType = UNSET
    stream: bool | None = None
    stream_options: _StreamOptions | UnsetType | None = UNSET
    tools: Raw | UnsetType = UNSET
    functions: Raw | UnsetType = UNSET
    response_format: _ResponseFormat | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    edgewise: _Extension | UnsetType | None = UNSET


_decode = msgspec.json.Decoder(_ChatBody).decode


def parse_chat(body: bytes, headers: Mapping[str, str], caller: Caller = NOBODY) -> Request:
    """The request in `body`, with the wishes of the `x-edgewise-*` headers (names without that prefix).

    What header and body say can only add to the privacy that the caller's key demands, and only take from
    its priority; its objective holds where the request names none. Raises `RequestError` (400) with one
    sentence.
    """
    chat = decoded(body, _decode)
    if chat.edgewise is not UNSET:
        check_once(body, OURS)
    if not chat.messages:
        raise RequestError("`messages` is empty; give at least one message.", param="messages")
    text, prompt, images, turns = _words(chat.messages)
    check_keys(body, text)
    stream_options = chat.stream_options
    wants_usage = isinstance(stream_options, _StreamOptions) and stream_options.include_usage is True
    if (chat.max_tokens or 0) < 0 or (chat.max_completion_tokens or 0) < 0:
        raise RequestError("`max_tokens` is negative; give a positive number.", param="max_tokens")
    tools = chat.tools if chat.tools is not UNSET else chat.functions
    tool_bytes = b"" if tools is UNSET else bytes(tools)
    has_tools = tool_bytes not in NO_TOOLS
    tokens = tokens_in(text) + TOKENS_PER_MESSAGE * len(chat.messages)
    if has_tools:
        tokens += len(tool_bytes) / CHARACTERS_PER_TOKEN
    return Request(
        id=mint(),
        prompt=prompt,
        text=text,
        body=body,
        wishes=_wishes(chat, headers, caller),
        needs=Needs(
            input_tokens=int(tokens) + TOKENS_PER_IMAGE * images,
            # Which of the two counts is the candidate's affair; a limit has to hold for either.
            output_tokens=min(MOST, max(chat.max_completion_tokens or 0, chat.max_tokens or 0)),
            answers=min(MOST, max(1, chat.n or 1)),
            tools=has_tools,
            vision=images > 0,
            json_schema=chat.response_format is not None and chat.response_format.type == "json_schema",
        ),
        stream=chat.stream is True,
        wants_usage=wants_usage,
        stream_options=stream_options is not UNSET,
        extended=chat.edgewise is not UNSET or chat.model is UNSET,
        in_tool_loop=chat.messages[-1].role in TOOL_ROLES,
        trim=chat.edgewise.trim if isinstance(chat.edgewise, _Extension) else None,
        turns=turns,
        key=caller.name,
    )


def _words(messages: list[_Message]) -> tuple[str, str, int, tuple[Turn, ...]]:
    """What was said.

    The whole conversation, tools' arguments and results too; the last user message; how many images there
    are; and, of several messages, each apart.
    """
    texts: list[str] = []
    roles: list[str] = []
    prompt, images = "", 0
    for number, message in enumerate(messages):
        content = message.content
        if message.tool_calls or message.function_call:
            given = _arguments(message)
            texts += given
            roles += [message.role] * len(given)
        if content is None:
            continue
        if not isinstance(content, str):
            images += sum(part.type in {"image_url", "input_image"} for part in content)
            content = "\n".join([said for part in content if (said := part.text or part.refusal)])
        if "\x00" in content:
            raise RequestError(
                "The text holds a NUL character, which no model can read; leave it out.",
                param=f"messages[{number}].content",
            )
        texts.append(content)
        roles.append(message.role)
        if message.role == "user":
            prompt = content
    text = texts[0] if len(texts) == 1 else "\n".join(texts)
    if not images and not NOT_BLANK.search(text):
        raise RequestError(
            "`messages` holds no text; give at least one message with content.", param="messages"
        )
    turns = () if len(texts) == 1 else tuple(map(Turn, roles, texts))
    return text, prompt or text, images, turns


def _arguments(message: _Message) -> list[str]:
    """What the assistant handed to its tools: JSON texts, or a custom tool's own."""
    calls = [call.function or call.custom for call in message.tool_calls or ()]
    given = [call.arguments or call.input for call in (*calls, message.function_call) if call]
    return [text if isinstance(text, str) else msgspec.json.encode(text).decode() for text in given if text]


def _wishes(chat: _ChatBody, headers: Mapping[str, str], caller: Caller) -> Wishes:
    extension = chat.edgewise if isinstance(chat.edgewise, _Extension) else None
    model = chat.model if isinstance(chat.model, str) else "auto"
    if extension is None and not headers:
        return Wishes(model, caller.privacy, objective=caller.objective, priority=caller.priority)
    unknown = [name for name in headers if name not in EXTENSIONS]
    if unknown:
        known = ", ".join(f"x-edgewise-{name}" for name in EXTENSIONS)
        raise RequestError(f"The header x-edgewise-{unknown[0]} does not exist; there are {known}.")
    extension = extension or _Extension()
    session = headers.get("session") or extension.session
    if extension.session not in (None, session):
        raise RequestError("Header and body name two different sessions.", param="edgewise.session")
    if session is not None and not SESSION.fullmatch(session):
        raise RequestError(
            "A session's name has 1 to 128 visible ASCII characters.", param="edgewise.session"
        )
    return Wishes(
        model=model,
        privacy=_privacy(caller.privacy, headers.get("privacy"), extension.privacy),
        session=session,
        objective=headers.get("objective") or _objective(extension.objective) or caller.objective,
        candidates=_candidates(headers.get("candidates") or extension.candidates),
        deadline_s=_deadline(headers.get("deadline") or extension.deadline_s),
        metadata=extension.metadata or {},
        priority=caller.at_most(headers.get("priority") or extension.priority),
        fallback=_fallback(headers.get("fallback"), body=extension.fallback),
    )


def _objective(said: str | _Objective | None) -> str | None:
    """The body's objective as a header would spell it. Whether there is such a one the router says."""
    if not isinstance(said, _Objective):
        return said
    try:
        return spelled(said.name, weight=said.weight, floor=said.floor)
    except SettingsError as error:
        raise RequestError(str(error), param="edgewise.objective") from None


def _privacy(*said: str | None) -> str | None:
    """All that was said holds: where key, header and body differ, the stricter one."""
    try:
        return privacy_of(*said)
    except ValueError as error:
        raise RequestError(
            f"The privacy '{str(error)[:40]}' does not exist; there are 'local' and 'region:NAME'.",
            param="edgewise.privacy",
        ) from None


def _fallback(header: str | None, *, body: bool | None) -> bool | None:
    """Whether another candidate may take over; a header goes before the body."""
    if header is None:
        return body
    if header not in ("true", "false"):
        raise RequestError(
            f"x-edgewise-fallback is '{header[:40]}'; give true or false.", param="edgewise.fallback"
        )
    return header == "true"


def _deadline(given: str | float | None) -> float | None:
    """Seconds that the caller will wait."""
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0.0 < seconds < LONGEST_DEADLINE_S:
        raise RequestError(
            f"The deadline '{str(given)[:40]}' is no time to wait; give seconds, such as 2.5.",
            param="edgewise.deadline_s",
        )
    return seconds


def _candidates(given: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = given.split(",") if isinstance(given, str) else given
    found = tuple(name.strip() for name in names if name.strip())
    if not found:
        raise RequestError("`candidates` names nobody; give ids, such as a,b.", param="edgewise.candidates")
    if len(found) > MOST_CANDIDATES or max(map(len, found)) > LONGEST_ID:
        raise RequestError(
            f"`candidates` names up to {MOST_CANDIDATES} ids, each of up to {LONGEST_ID} characters.",
            param="edgewise.candidates",
        )
    return found


def chat_of(
    prompt: str, options: Mapping[str, object] | None = None, wishes: Mapping[str, str] | None = None
) -> Request:
    """One plain prompt as a client would have sent it.

    `options` are further keys of the body (`model`, `stream`, `temperature` …), `wishes` the headers of
    `parse_chat`.
    """
    body = {"model": "auto", "messages": [{"role": "user", "content": prompt}], **(options or {})}
    return parse_chat(msgspec.json.encode(body), wishes or {})
