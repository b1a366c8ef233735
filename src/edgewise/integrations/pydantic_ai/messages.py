"""pydantic-ai's messages and tools → OpenAI's, and an answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    BinaryContent,
    CachePoint,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    SpeechPart,
    SystemPromptPart,
    TextContent,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.settings import ToolOrOutput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic_ai.messages import ModelMessage, ModelRequestPart, UserContent
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition


def messages_of(history: Iterable[ModelMessage], instructions: Sequence[str]) -> list[dict[str, Any]]:
    """The conversation as OpenAI writes it, its instructions after the standing system prompt.

    What a model thought is not sent on: the next to answer may be another. Raises UserError for what is
    neither text nor a picture, and for a history that `prepare_messages` has not seen.
    """
    messages: list[dict[str, Any]] = []
    for message in history:
        if isinstance(message, ModelRequest):
            messages.extend(_asked(message))
        else:
            messages.extend(_answered(message))
    first = next((n for n, said in enumerate(messages) if said["role"] != "system"), len(messages))
    messages[first:first] = [{"role": "system", "content": text} for text in instructions]
    return messages


def _asked(request: ModelRequest) -> Iterator[dict[str, Any]]:
    """The parts of a request; files that tools returned come last, as the user's."""
    files: list[UserContent] = []
    for part in request.parts:
        yield _message(part, files)
    if files:
        yield {"role": "user", "content": [said for item in files if (said := _content(item))]}


def _message(part: ModelRequestPart, files: list[UserContent]) -> dict[str, Any]:
    match part:
        case SystemPromptPart():
            return {"role": "system", "content": part.content}
        case UserPromptPart(content=str()):
            return {"role": "user", "content": part.content}
        case UserPromptPart():
            return {"role": "user", "content": [said for item in part.content if (said := _content(item))]}
        case ToolReturnPart():
            text, found = part.model_response_str_and_user_content()
            files.extend(found)
            return {"role": "tool", "tool_call_id": part.tool_call_id, "content": text}
        case _:
            raise UserError(
                f"RoutedModel cannot send a {type(part).__name__} as it is; agents prepare it, others call "
                "`model.prepare_messages(messages)` first."
            )


def _content(item: UserContent) -> dict[str, Any] | None:
    match item:
        case str():
            return {"type": "text", "text": item}
        case TextContent():
            return {"type": "text", "text": item.content}
        case ImageUrl():
            return {"type": "image_url", "image_url": {"url": item.url}}
        case BinaryContent(is_image=True):
            return {"type": "image_url", "image_url": {"url": item.data_uri}}
        case CachePoint():
            return None
        case _:
            raise UserError(f"RoutedModel sends text and pictures; {type(item).__name__} is neither.")


def _answered(response: ModelResponse) -> Iterator[dict[str, Any]]:
    words: list[str] = []
    calls: list[dict[str, Any]] = []
    for part in response.parts:
        match part:
            case TextPart():
                words.append(part.content)
            case ToolCallPart():
                called = {"name": part.tool_name, "arguments": part.args_as_json_str()}
                calls.append({"id": part.tool_call_id, "type": "function", "function": called})
            case SpeechPart():
                raise UserError(
                    "RoutedModel cannot send speech; call `model.prepare_messages(messages)` first."
                )
            case _:  # thoughts, and what other providers' own tools and files left behind
                pass
    if words or calls:
        message: dict[str, Any] = {"role": "assistant", "content": "\n\n".join(words) or None}
        yield {**message, "tool_calls": calls} if calls else message


def tools_of(parameters: ModelRequestParameters, settings: Mapping[str, Any]) -> dict[str, Any]:
    """`tools` and `tool_choice` of a chat body, or nothing where there are no tools."""
    tools, choice = _chosen(parameters, settings.get("tool_choice"))
    if not tools:
        return {}
    body: dict[str, Any] = {"tools": [_tool(tool) for tool in tools], "tool_choice": choice}
    if (parallel := settings.get("parallel_tool_calls")) is not None:
        body["parallel_tool_calls"] = parallel
    return body


def _chosen(parameters: ModelRequestParameters, choice: Any) -> tuple[list[ToolDefinition], str]:
    """The tools that may be called, and whether one must be; those that may not are not sent."""
    functions, outputs = parameters.declared_function_tools, parameters.output_tools
    free = "auto" if parameters.allow_text_output else "required"
    match choice:
        case None | "auto":
            return [*functions, *outputs], free
        case "none" | []:
            return (outputs, free) if outputs else (functions, "none")
        case "required":
            if not functions:
                raise UserError('`tool_choice` is "required", and there is no function tool to call.')
            return functions, "required"
        case ToolOrOutput():
            return [*_named(functions, choice.function_tools), *outputs], free
        case _:
            return _named([*functions, *outputs], choice), "required"


def _named(tools: Sequence[ToolDefinition], names: Iterable[str]) -> list[ToolDefinition]:
    wanted = set(names)
    found = [tool for tool in tools if tool.name in wanted]
    if wanted and not found:
        known = ", ".join(tool.name for tool in tools) or "none"
        raise UserError(f"`tool_choice` names no tool that is available; there are: {known}.")
    return found


def _tool(tool: ToolDefinition) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.parameters_json_schema,
    }
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def format_of(parameters: ModelRequestParameters) -> dict[str, Any]:
    """`response_format` of a chat body, where the output follows a schema natively."""
    wanted: OutputObjectDefinition | None = parameters.output_object
    if parameters.output_mode != "native" or wanted is None:
        return {}
    schema: dict[str, Any] = {"name": wanted.name or "final_result", "schema": wanted.json_schema}
    if wanted.description:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"response_format": {"type": "json_schema", "json_schema": schema}}
