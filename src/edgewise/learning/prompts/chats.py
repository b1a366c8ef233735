"""Chat exports → OpenAI's messages: ChatGPT's, Claude's, ShareGPT's lists, and plain lists of messages.

An export holds what was asked and what was answered. Of each conversation one prompt is taken, so that no
two prompts of one conversation can stand on two sides of a split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Turns: TypeAlias = Literal["first", "last"]
Message: TypeAlias = dict[str, Any]
SPEAKERS = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "model": "assistant",
}
LISTS = ("conversations", "conversation", "items", "chat_messages")
NO_USER = "holds no message of the user"


def as_line(record: object, turns: Turns) -> dict[str, Any] | str:
    """One record of an export as a line with `messages`, or the end of a sentence that says why it is none.

    `first` takes a conversation up to the first message of the user, `last` up to the last. `messages` that
    stand as such are a request already: only answers at their end are cut off. A record that is no
    conversation comes back as it is.
    """
    if isinstance(record, list):
        return _exported(_plain(_list(record)), {}, turns)
    if not isinstance(record, dict):
        return {"prompt": record} if isinstance(record, str) else "is neither an object nor a text"
    found = cast("dict[str, Any]", record)
    if isinstance(found.get("messages"), list) and "prompt" not in found:
        return {**found, "messages": _unanswered(found["messages"])}
    if isinstance(found.get("mapping"), dict):
        return _exported(list(_chatgpt(found)), {}, turns)
    for name in LISTS:
        if isinstance(found.get(name), list) and "prompt" not in found:
            more = {key: value for key, value in found.items() if key != name}
            return _exported(_plain(found[name]), {} if name == "chat_messages" else more, turns)
    return found


def _exported(messages: list[Message], more: dict[str, Any], turns: Turns) -> dict[str, Any] | str:
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    if not users:
        return NO_USER
    kept = messages[: users[0 if turns == "first" else -1] + 1]
    if turns == "first":  # an assistant's greeting was no part of the request
        kept = [message for message in kept if message["role"] != "assistant"]
    return {**more, "messages": kept}


def _unanswered(messages: list[Any]) -> list[Any]:
    """The messages without the answers at their end."""
    end = len(messages)
    while end and isinstance(messages[end - 1], dict) and messages[end - 1].get("role") == "assistant":
        end -= 1
    return messages[:end]


def _plain(messages: Sequence[Any]) -> list[Message]:
    """ShareGPT's `from` and `value`, Claude's `sender` and `text`, or OpenAI's own; others are left out."""
    found: list[Message] = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        keys = cast("dict[str, Any]", message)
        who = keys.get("from") or keys.get("sender") or keys.get("role")
        said = keys.get("value", keys.get("content"))
        if not said or "sender" in keys:
            said = keys.get("text") or said
        role = SPEAKERS.get(str(who).lower(), str(who).lower())
        if _has_text(said) and role in {"system", "user", "assistant"}:
            found.append({"role": role, "content": said})
    return found


def _has_text(said: object) -> bool:
    if isinstance(said, str):
        return bool(said.strip())
    return any(_object(part).get("text") for part in _list(said))


def _chatgpt(conversation: dict[str, Any]) -> Iterator[Message]:
    """The branch that was on the screen last, from its root on: answers that were replaced are not on it."""
    nodes: dict[str, Any] = conversation["mapping"]
    place = conversation.get("current_node") or next(reversed(nodes), None)
    branch: list[Message] = []
    seen: set[str] = set()
    while isinstance(place, str) and place not in seen and isinstance(node := nodes.get(place), dict):
        seen.add(place)
        if (message := _chatgpt_message(cast("dict[str, Any]", node).get("message"))) is not None:
            branch.append(message)
        place = cast("dict[str, Any]", node).get("parent")
    return reversed(branch)


def _chatgpt_message(message: Any) -> Message | None:
    """One node's message, where it has words; what the page hid from the person is no part of the talk."""
    if _object(_object(message).get("metadata")).get("is_visually_hidden_from_conversation"):
        return None
    role = _object(_object(message).get("author")).get("role")
    parts = _object(_object(message).get("content")).get("parts")
    words = "\n".join(part for part in _list(parts) if isinstance(part, str))
    if role not in {"system", "user", "assistant"} or not words.strip():
        return None
    return {"role": role, "content": words}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()
