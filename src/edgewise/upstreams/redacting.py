"""What leaves this machine carries placeholders for what was found; the answer gets the values back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import structs

from edgewise.domain.errors import WouldLeave
from edgewise.upstreams.unveiling import unveiled
from edgewise.upstreams.veil import Veil, is_list, is_object

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request

# Ids and words of the protocol; our own object never leaves.
NO_TEXT = frozenset({"edgewise", "model", "id", "tool_call_id", "role", "type"})
PICTURE = "data:"


class Detecting(Protocol):
    """A screen that looks for private things, and can say of a text whether any are left in it."""

    async def screen(self, request: Request) -> Request:
        """The request with its findings, searched once however often this is asked."""
        ...

    def is_left(self, text: str) -> bool:
        """Whether `text` holds what may not leave as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Redacting:
    """Ask `inner` with placeholders for the findings whose action is `redact`; restore them in the answer.

    A request that came past the router's screens is searched here. Once redacted, all of the body's texts are
    searched once more, and `WouldLeave` is raised where something is left. The values stay in this call and
    are written nowhere; an upstream's own errors keep their placeholders.
    """

    inner: Upstream
    detection: Detecting

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The answer of `inner`, with the values where it put their placeholders."""
        request = await self.detection.screen(request)
        findings = [found for found in request.findings if found.action == "redact"]
        if not findings:
            return await self.inner.ask(request)
        body = msgspec.json.decode(request.body)
        veil = Veil(findings, "\n".join(_texts(body)))
        hidden = veil.hide_in(body)
        if any(map(self.detection.is_left, _texts(hidden))):
            raise WouldLeave("The request was not sent: something in it could not be redacted.")
        others = tuple(found for found in request.findings if found.action != "redact")
        answer = await self.inner.ask(
            structs.replace(
                request,
                body=msgspec.json.encode(hidden),
                prompt=veil.hide(request.prompt),
                text=veil.hide(request.text),
                turns=tuple(structs.replace(turn, text=veil.hide(turn.text)) for turn in request.turns),
                findings=others,
            )
        )
        return _shown(answer, veil) if isinstance(answer, bytes) else unveiled(answer, veil)

    async def aclose(self) -> None:
        """Close the upstream behind."""
        await self.inner.aclose()


def _shown(answer: bytes, veil: Veil) -> bytes:
    if not veil.shows(answer):
        return answer
    try:
        return msgspec.json.encode(veil.show_in(msgspec.json.decode(answer)))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return answer  # no JSON: the executor says so


def _texts(body: Any) -> Iterator[str]:
    """The texts of a body that may hold something private: not its ids, and no picture's bytes."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if not value.startswith(PICTURE):
                yield value
        elif is_object(value):
            waiting += [inner for key, inner in value.items() if key not in NO_TEXT]
            waiting += value
        elif is_list(value):
            waiting += value
