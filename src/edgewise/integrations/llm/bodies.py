"""A prompt of `llm` → a chat body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import llm
import msgspec
from llm.parts import AttachmentPart, TextPart, ToolCallPart, ToolResultPart
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm.models import Prompt
    from llm.parts import Message

WISHES = ("privacy", "objective", "session", "candidates", "deadline_s", "priority", "fallback")


class EdgewiseOptions(llm.Options):
    """What `llm -o NAME VALUE` may say."""

    model: str = Field("auto", description="'auto', 'auto:POLICY', or a candidate's id")
    temperature: float | None = Field(None, description="How freely words are drawn")
    max_tokens: int | None = Field(None, description="How long an answer may be")
    seed: int | None = Field(None, description="What the draw of words begins with")
    privacy: str | None = Field(None, description="'local' (on this machine) or 'region:NAME'")
    objective: str | None = Field(None, description="What a good choice is: 'cheapest-at-quality:0.8'")
    session: str | None = Field(None, description="The conversation that it belongs to")
    candidates: str | None = Field(None, description="Only these may answer: ids, with commas between them")
    deadline_s: float | None = Field(None, description="Seconds that the whole answer may take")
    priority: str | None = Field(None, description="'high', 'normal' or 'low'")
    fallback: bool | None = Field(None, description="Whether another may take over from one that fails")


def body_of(prompt: Prompt) -> dict[str, Any]:
    """The chat body of a prompt, with all that was said before it."""
    said = {name: value for name, value in prompt.options if value is not None}
    body: dict[str, Any] = {
        **{name: value for name, value in said.items() if name not in WISHES},
        "messages": [one for message in prompt.messages for one in _messages(message)],
        "edgewise": {name: said[name] for name in WISHES if name in said},
    }
    schema = cast("Any", prompt).schema
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools if isinstance(tool, llm.Tool)]
    return body


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    words: list[str] = []
    pictures: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case TextPart():
                words.append(part.text)
            case AttachmentPart(attachment=llm.Attachment() as attached):
                pictures.append(_picture(attached))
            case ToolCallPart():
                called = {"name": part.name, "arguments": msgspec.json.encode(part.arguments).decode()}
                calls.append({"id": part.tool_call_id, "type": "function", "function": called})
            case ToolResultPart():
                yield {"role": "tool", "tool_call_id": part.tool_call_id, "content": part.output}
            case _:  # what a model thought: the next to answer may be another
                pass
    text = "".join(words)
    if pictures:
        before = [{"type": "text", "text": text}] if text else []
        yield {"role": message.role, "content": [*before, *pictures]}
    elif calls:
        yield {"role": message.role, "content": text or None, "tool_calls": calls}
    elif text:
        yield {"role": message.role, "content": text}


def _picture(attached: llm.Attachment) -> dict[str, Any]:
    url = attached.url or f"data:{attached.resolve_type()};base64,{attached.base64_content()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _tool(tool: llm.Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": cast("Any", tool).input_schema}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}
