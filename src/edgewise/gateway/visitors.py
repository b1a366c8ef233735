"""People with a browser: a key is shown once, and a cookie stands for it from then on.

The cookie is a random number that only this process knows; it holds no key, ends with the process or after
twelve hours, is never shown to scripts, and comes with no request that another site began.
"""

from __future__ import annotations

from secrets import token_urlsafe
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from edgewise.domain.errors import RequestError
from edgewise.gateway.wire import read_body, send_bytes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from edgewise.gateway.wire import Headers, Receive, Scope, Send
    from edgewise.settings import KeyRing, ServerKey

    Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE: Final = "edgewise"
LOGIN, LOGOUT = "/login", "/logout"
ASSETS: Final = "/assets/"
LASTS_S: Final = 12 * 3600
MOST: Final = 1000  # sessions at a time; the oldest goes first
MOST_FORM_BYTES: Final = 10_000
FORM_TIMEOUT_S: Final = 10.0


class Site(Protocol):
    """Pages for people: handlers by method for each path of theirs, nothing for all others."""

    def at(self, path: str) -> Mapping[str, Handler]:
        """The handlers of a path; empty where there is nothing."""
        ...

    def close(self) -> None:
        """End what would go on for as long as somebody looks."""
        ...


class Visitors:
    """Who has logged in. Without `keys` nobody needs to."""

    def __init__(self, keys: KeyRing | None, clock: Callable[[], float] = monotonic) -> None:
        self._keys, self._clock = keys, clock
        self._sessions: dict[str, tuple[ServerKey, float]] = {}

    def find(self, scope: Scope) -> ServerKey | None:
        """The key behind a request's cookie.

        Raises RequestError (403) where the request would do something and no page of ours began it.
        """
        found = self._sessions.get(_cookie(scope))
        if found is None or found[1] < self._clock():
            return None
        if scope["method"] not in ("GET", "HEAD") and not is_own(scope):
            raise RequestError(
                "A cookie is taken from pages of this gateway only.", status=403, code="forbidden_origin"
            )
        return found[0]

    def at(self, path: str) -> Mapping[str, Handler]:
        """What comes before all pages."""
        if self._keys is None:
            return {}
        found: dict[str, Mapping[str, Handler]] = {
            LOGIN: {"POST": self.log_in},
            LOGOUT: {"POST": self.log_out},
        }
        return found.get(path, {})

    async def log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a key with the scope admin, give a cookie, and go on to where the visitor came from."""
        if not is_own(scope):
            raise RequestError("This form is not one of ours.", status=403, code="forbidden_origin")
        body = await read_body(scope, receive, limit=MOST_FORM_BYTES, timeout_s=FORM_TIMEOUT_S)
        form = parse_qs(body.decode("utf-8", "replace"))
        presented, to = form.get("key", [""])[-1].strip(), _within(form.get("next", ["/"])[-1])
        key = self._keys.find(presented) if self._keys is not None and presented else None
        if key is None or "admin" not in key.scopes:
            await _redirect(send, f"{LOGIN}?{urlencode({'wrong': '1', 'next': to})}")
            return
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]
        token = token_urlsafe(32)
        self._sessions[token] = key, self._clock() + LASTS_S
        secure = "; Secure" if _came_by_tls(scope) else ""
        await _redirect(send, to, f"{COOKIE}={token}; {_terms(LASTS_S)}{secure}")

    async def log_out(self, scope: Scope, _: Receive, send: Send) -> None:
        """Forget the cookie."""
        self._sessions.pop(_cookie(scope), None)
        await _redirect(send, LOGIN, f"{COOKIE}=; {_terms(0)}")


def is_open(path: str) -> bool:
    """What is shown to whoever has not logged in yet: the form, and what it is drawn with."""
    return path == LOGIN or path.startswith(ASSETS)


def is_own(scope: Scope) -> bool:
    """Whether a page of this very gateway began the request: browsers say so of every form and script."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    origin = headers.get(b"origin", b"")
    try:
        place = urlsplit(origin).netloc
    except ValueError:  # no URL at all
        return False
    return bool(place) and place == headers.get(b"host")


async def ask_in(scope: Scope, send: Send) -> None:
    """Send a browser to the form, and from there back to where it was going."""
    query = scope["query_string"].decode("latin-1")
    to = scope["path"] + (f"?{query}" if query else "")
    await _redirect(send, LOGIN if to == "/" else f"{LOGIN}?{urlencode({'next': to})}")


def _cookie(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            for piece in value.decode("latin-1").split(";"):
                said, _, token = piece.strip().partition("=")
                if said == COOKIE:
                    return str(token)
    return ""


def _came_by_tls(scope: Scope) -> bool:
    """Whether the browser spoke TLS, here or to a proxy before us: its cookie then goes by no other way."""
    return any(name == b"origin" and value.startswith(b"https://") for name, value in scope["headers"])


def _terms(lasts_s: int) -> str:
    return f"Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Strict"


def _within(to: str) -> str:
    """A path of ours: never another site, however it is spelled."""
    try:
        parts = urlsplit(to)
    except ValueError:
        return "/"
    is_ours = (
        to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc and to.isprintable()
    )
    return to if is_ours and "\\" not in to else "/"


async def _redirect(send: Send, to: str, cookie: str | None = None) -> None:
    headers: Headers = [(b"location", to.encode("latin-1", "replace")), (b"cache-control", b"no-store")]
    if cookie is not None:
        headers.append((b"set-cookie", cookie.encode()))
    await send_bytes(send, 303, headers, b"")
