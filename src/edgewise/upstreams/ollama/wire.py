"""OpenAI's chat body → Ollama's, by its documentation (https://docs.ollama.com/api/chat).

What Ollama has no word for (`logit_bias`, `n`, `user` …) is left out, as its own OpenAI endpoint does.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from edgewise.domain.errors import RequestError

NULL = b"null"
ABSENT = Raw(NULL)
NOTHING = (NULL, b"[]")
SAMPLING = ("temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty")


class _Url(Struct):
    url: str = ""


class _Part(Struct):
    type: str = ""
    text: str | None = None
    image_url: _Url | None = None


class _Function(Struct):
    name: str = ""
    arguments: str | None = None


class _Call(Struct):
    function: _Function
    id: str | None = None


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class _Schema(Struct):
    schema: Raw = ABSENT


class _Format(Struct):
    type: str = "text"
    json_schema: _Schema | None = None


class _Chat(Struct):
    messages: list[_Message]
    tools: Raw = ABSENT
    response_format: _Format | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: Raw = ABSENT
    top_p: Raw = ABSENT
    seed: Raw = ABSENT
    stop: Raw = ABSENT
    presence_penalty: Raw = ABSENT
    frequency_penalty: Raw = ABSENT


_chat = msgspec.json.Decoder(_Chat)
_object = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.encode


def chat_body(body: bytes, model: str, *, stream: bool) -> bytes:
    """The body for `/api/chat`.

    Raises `RequestError` for a message that is none, and for an image that is no data URL.
    """
    try:
        asked = _chat.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"The chat cannot be put into Ollama's words: {error}.") from error
    said: dict[str, Any] = {"model": model, "messages": _messages(asked.messages), "stream": stream}
    if options := _options(asked):
        said["options"] = options
    if bytes(asked.tools) not in NOTHING:
        said["tools"] = asked.tools
    wanted = _format(asked.response_format)
    if wanted is not None:
        said["format"] = wanted
    return _encode(said)


def _options(asked: _Chat) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SAMPLING:
        value: Raw = getattr(asked, name)
        if bytes(value) != NULL:
            found[name] = value
    limit = asked.max_completion_tokens or asked.max_tokens
    if limit:
        found["num_predict"] = limit
    return found


def _messages(messages: list[_Message]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}  # a tool call's id → the tool's name, which is what Ollama goes by
    found: list[dict[str, Any]] = []
    for message in messages:
        text, images = _content(message.content)
        role = {"developer": "system", "function": "tool"}.get(message.role, message.role)
        said: dict[str, Any] = {"role": role, "content": text}
        if images:
            said["images"] = images
        if message.tool_calls:
            said["tool_calls"] = [_call(call, names) for call in message.tool_calls]
        name = message.name or names.get(message.tool_call_id or "", "")
        if role == "tool" and name:
            said["tool_name"] = name
        found.append(said)
    return found


def _content(content: str | list[_Part] | None) -> tuple[str, list[str]]:
    """A message's text, and its images in base64."""
    if content is None or isinstance(content, str):
        return content or "", []
    images = [_base64(part.image_url.url) for part in content if part.image_url is not None]
    return "\n".join(part.text for part in content if part.text), images


def _base64(url: str) -> str:
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise RequestError(
            "Ollama takes images only as data URLs (data:image/png;base64,…), and this one is none.",
            param="messages",
        )
    return data


def _call(call: _Call, names: dict[str, str]) -> dict[str, Any]:
    name = call.function.name
    if call.id:
        names[call.id] = name
    try:
        arguments = _object.decode((call.function.arguments or "{}").encode())
    except (
        msgspec.MsgspecError,
        RecursionError,
    ):  # a model made them up
        arguments = {}
    return {"function": {"name": name, "arguments": arguments}}


def _format(wanted: _Format | None) -> Raw | str | None:
    """`"json"`, a schema, or None."""
    if wanted is None or wanted.type not in ("json_object", "json_schema"):
        return None
    schema = wanted.json_schema.schema if wanted.json_schema else ABSENT
    return "json" if bytes(schema) == NULL or wanted.type == "json_object" else schema
