"""What a body holds beside the conversation's own words: names, users, tools, addresses, numbers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

OURS = frozenset({"model", "edgewise"})  # at the top: neither is sent on as it came
PROTOCOL = frozenset(
    {"role", "content", "type", "text", "name", "id", "tool_call_id", "tool_calls", "function", "arguments"}
    | {"user", "assistant", "system", "developer", "tool", "image_url", "url", "stream", "stream_options"}
    | {"include_usage", "messages", "max_tokens", "temperature"}
)
IDS = frozenset({"id", "tool_call_id"})
ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")  # as models mint them for their calls: no words of anybody
CODED = re.compile(r"data:[^,\s]{0,200};base64,|[A-Za-z0-9+/=_-]{2048,}\Z")  # pictures: no rule reads those
SEED = "seed"
LONG_NUMBER = 1_000_000


class Ambiguous(ValueError):
    """A body that names a key twice: what was searched need not be what its reader takes."""


class Around(NamedTuple):
    """Texts and long numbers, a line each."""

    texts: str
    numbers: str


def elsewhere(body: bytes, said: AbstractSet[str]) -> Around:
    """All that a chat body holds beside `said`, the conversation's own words.

    Raises `Ambiguous`, and ValueError for what is no JSON object.
    """
    fields = json.loads(body, object_pairs_hook=_unambiguous)
    texts: list[str] = []
    numbers: list[str] = []
    for key, value in fields.items():
        if key not in OURS:
            for found in _leaves(value, in_messages=key == "messages", key=key):
                if isinstance(found, int):
                    numbers.append(str(found))
                elif found not in PROTOCOL and found not in said and not CODED.match(found):
                    texts.append(found)
            if key not in PROTOCOL:
                texts.append(key)
    return Around("\n".join(texts), "\n".join(numbers))


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Ambiguous("A key stands twice in one object.")
    return found


def _leaves(value: Any, *, in_messages: bool, key: str = "") -> Iterator[str | int]:
    """Every text in a JSON value, keys included, and every number that is long enough to be somebody's."""
    if isinstance(value, str):
        if not (in_messages and key in IDS and ID.fullmatch(value)):
            yield value
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield name
            yield from _leaves(inner, in_messages=in_messages, key=name)
    elif _is_list(value):
        for inner in value:
            yield from _leaves(inner, in_messages=in_messages, key=key)
    elif isinstance(value, int) and value >= LONG_NUMBER and key != SEED:
        yield value


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
