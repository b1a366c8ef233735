"""Sessions as files: JSON out and in, Markdown out. Sessions of the orchestration SDK come in too."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from edgewise.domain.errors import RequestError
from edgewise.domain.privacy import privacy_of
from edgewise.sessions.records import Content, Message, Session, checked_id, checked_title

FORMAT = "edgewise-session-1"
MOST_BYTES = 64_000_000
FIRST_YEAR, LAST_YEAR = 2, 9998  # every time zone can show what lies between
FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)


class _Extras(Struct, omit_defaults=True):
    """The keys of `Message.extras` that a file may bring along."""

    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class _Message(Struct):
    """A message in a file. `context` is the orchestration SDK's; `extras` are ours."""

    role: str
    content: Content = None
    id: str = ""
    timestamp: str | float | None = None
    context: dict[str, Any] | None = None
    extras: _Extras | None = None
    metadata: dict[str, Any] | None = None


class _Session(Struct):
    id: str
    messages: list[_Message] = field()
    title: str | None = None
    created_at: str | float | None = None
    updated_at: str | float | None = None
    format: str | None = None
    privacy: str | None = None
    candidate: str | None = None


_decode = msgspec.json.Decoder(_Session).decode


def to_json(session: Session) -> bytes:
    """The whole session; `from_json` reads it back. Times are ISO 8601 in UTC."""
    said = {
        "format": FORMAT,
        "id": session.id,
        "title": session.title,
        "created_at": _iso(session.created_at),
        "updated_at": _iso(session.updated_at),
        "privacy": session.privacy,
        "candidate": session.candidate,
        "messages": [
            {
                "id": message.id,
                "role": message.role,
                "content": message.content,
                "timestamp": _iso(message.at),
                "extras": message.extras,
                "metadata": message.metadata,
            }
            for message in session.messages
        ],
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"


def from_json(data: bytes, *, source: str, now: float) -> Session:
    """The session in a file: ours, or one of `~/.oblix/sessions`. `now` stands in for missing times.

    Raises `RequestError` with one sentence that names `source`.
    """
    if len(data) > MOST_BYTES:
        raise RequestError(f"{source} is larger than {MOST_BYTES // 1_000_000} MB; no session is.")
    try:
        return _session(_decode(data), now)
    except RequestError as error:
        raise RequestError(f"{source}: {error}") from None
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        place = f" at {where.strip('`').removeprefix('$.')}" if where else ""
        raise RequestError(f"{source} is no session: {what}{place}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"{source} is torn, or no JSON: {error}.") from None


def to_markdown(session: Session) -> str:
    """The conversation for people to read. Images and tool calls are named, not shown."""
    told = [f"# {session.title}", "", f"Session `{session.id}`, {_iso(session.created_at)}.", ""]
    if session.local:
        told[2] += " Local: it must not leave this machine."
    for message in session.messages:
        who = message.metadata.get("candidate") if message.role == "assistant" else None
        told += [f"## {message.role}{f' ({who})' if who else ''}", ""]
        if message.text:
            told += [message.text, ""]
        calls: list[Any] = message.extras.get("tool_calls") or []
        for call in calls:
            told += [_fenced(msgspec.json.encode(call).decode()), ""]
    return "\n".join(told)


def _session(found: _Session, now: float) -> Session:
    if found.format not in (None, FORMAT):
        raise RequestError(f"the format {found.format[:40]!r} is not known; expected {FORMAT!r}.")
    updated_at = _moment(found.updated_at, now)
    messages = tuple(_message(message, updated_at) for message in found.messages)
    try:
        privacy = privacy_of(found.privacy)
    except ValueError as error:
        raise RequestError(f"the privacy {str(error)[:40]!r} does not exist.") from None
    title = found.title if found.title and found.title.strip() else "Imported"
    return Session(
        id=checked_id(found.id),
        title=checked_title("".join(c if c.isprintable() else " " for c in title)),
        created_at=_moment(found.created_at, updated_at),
        updated_at=updated_at,
        privacy=privacy,
        candidate=found.candidate,
        count=len(messages),
        messages=messages,
    )


def _message(found: _Message, default: float) -> Message:
    metadata = dict(found.metadata or {})
    if found.context:
        metadata["context"] = found.context
    return Message(
        id=found.id,
        role=found.role,
        content=found.content,
        at=_moment(found.timestamp, default),
        extras=msgspec.to_builtins(found.extras or _Extras()),
        metadata=metadata,
    )


def _moment(said: str | float | None, default: float) -> float:
    """Unix seconds; a time without a zone is this machine's."""
    if said is None:
        return default
    try:
        when = datetime.fromtimestamp(said, UTC) if isinstance(said, int | float) else _read(said)
        if not FIRST_YEAR <= when.year <= LAST_YEAR:
            raise ValueError(said)  # noqa: TRY301 - one sentence for all that is no time
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        raise RequestError(
            f"{str(said)[:40]!r} is no time; expected one like 2026-11-21T09:30:00Z."
        ) from None


def _read(said: str) -> datetime:
    return datetime.fromisoformat(said).astimezone(UTC)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _fenced(text: str) -> str:
    longest = max((len(found) for found in FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}json\n{text}\n{fence}"
