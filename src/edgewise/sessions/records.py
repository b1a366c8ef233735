"""A conversation and its messages."""

from __future__ import annotations

import re
from secrets import token_hex
from typing import Any

from msgspec import Struct

from edgewise.domain.errors import RequestError
from edgewise.domain.privacy import LOCAL, privacy_of

Content = str | list[dict[str, Any]] | None
IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LONGEST_TITLE = 200
LONGEST_SHOWN = 80


class Message(Struct, frozen=True, kw_only=True):
    """One message as the wire has it: `content` is a text, a list of parts or None.

    `extras` are the other keys that belong on the wire (`tool_calls`, `tool_call_id`, `name`), `metadata`
    what only we know: the `candidate` that answered, its `decision`. `at` is unix seconds.
    """

    role: str
    content: Content
    at: float
    id: str = ""
    extras: dict[str, Any] = {}
    metadata: dict[str, Any] = {}

    def wire(self) -> dict[str, Any]:
        """The message as a chat body holds it."""
        return {"role": self.role, "content": self.content, **self.extras}

    @property
    def text(self) -> str:
        """Its words, without images and tool calls."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(str(part["text"]) for part in self.content or () if part.get("text"))


class Session(Struct, frozen=True, kw_only=True):
    """A conversation. `privacy` only ever gets stricter; `candidate` is the one that answered last.

    `count` is the number of its messages; `messages` are empty where only an overview was asked for.
    """

    id: str
    title: str
    created_at: float
    updated_at: float
    privacy: str | None = None
    candidate: str | None = None
    count: int = 0
    messages: tuple[Message, ...] = ()

    @property
    def local(self) -> bool:
        """Whether nothing of it may leave this machine."""
        return self.privacy == LOCAL


class Mark(Struct, frozen=True):
    """What the router remembers of a session: what was promised, and who answered it last."""

    privacy: str | None = None
    candidate: str | None = None

    def promising(self, privacy: str | None) -> Mark:
        """The same with this promised too."""
        return Mark(stricter(self.privacy, privacy), self.candidate)


def stricter(*said: str | None) -> str | None:
    """The privacy that keeps to all of these; what cannot be read means `local`."""
    try:
        return privacy_of(*said)
    except ValueError:
        return LOCAL


def new_id() -> str:
    """An id that nobody can guess."""
    return f"ses_{token_hex(8)}"


def checked_id(identity: str) -> str:
    """The id, if it has the shape of one; raises `RequestError` otherwise."""
    if not IDENTITY.fullmatch(identity):
        raise RequestError(
            f"{identity[:LONGEST_SHOWN]!r} is no session's id; expected up to 64 letters, digits, - and _.",
            param="session",
        )
    return identity


def checked_title(title: str) -> str:
    """The title on one line of at most 200 characters; raises `RequestError` where nothing is left."""
    line = " ".join(title.split())[:LONGEST_TITLE]
    if not line.isprintable() or not line:
        raise RequestError("A session's title is some printable text on one line.", param="title")
    return line
