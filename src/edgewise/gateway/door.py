"""Who is let in: only this machine's own names on loopback, and only keys that may do what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import RequestError
from edgewise.gateway.callers import CALLER, Caller
from edgewise.gateway.limits import ACCOUNT
from edgewise.gateway.visitors import Visitors, is_open
from edgewise.settings import KeyRing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.gateway.limits import Account, Accounts
    from edgewise.gateway.wire import Headers, Scope
    from edgewise.settings import Scope as KeyScope
    from edgewise.settings import ServerSettings

MOST_HOSTS = 64
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
COUNTED = frozenset({"/v1/chat/completions", "/v1/embeddings", "/v1/classify", "/v1/route"})


class Door:
    """Looks at each request first. `accounts` hold the limits of the keys that have any."""

    def __init__(self, server: ServerSettings, accounts: Accounts | None = None) -> None:
        self._own_host = server.host
        self._keys = KeyRing(server.keys) if server.keys else None
        self.visitors = Visitors(self._keys)
        self._callers = {key.name: Caller.of(key) for key in server.keys}
        self._accounts: Mapping[str, Account] = {} if accounts is None else accounts.by_name
        self._hosts: set[bytes] | None = set() if is_loopback(server.host) else None

    def admit(self, scope: Scope) -> Account | None:
        """Let the request pass, and note in the scope whose it is. Raises `RequestError` (401, 403).

        Returns the key's account, where its limits count for this request; nothing is counted yet.
        """
        if self._hosts is not None:
            self._check_origin(scope["headers"])
        path: str = scope["path"]
        if self._keys is None or path in OPEN_PATHS or is_open(path):
            return None
        name = self._check_key(scope, self._keys, needed(path))
        scope[CALLER] = self._callers[name]
        account = self._accounts.get(name) if path in COUNTED else None
        if account is not None:
            scope[ACCOUNT] = account
        return account

    def _check_origin(self, headers: Headers) -> None:
        """On loopback, only this machine's own names may be asked for.

        A web page must not reach the gateway through a name of its own that points here (DNS rebinding), nor
        by a request across origins.
        """
        known = self._hosts
        for name, value in headers:
            if name in (b"host", b"origin") and known is not None and value not in known:
                if not _names_loopback(value, self._own_host):
                    said = value[:100].decode("latin-1")
                    raise RequestError(
                        f"Requests for or from {said!r} are not answered; use a loopback address.",
                        status=403,
                        code="forbidden_origin",
                    )
                if len(known) < MOST_HOSTS:
                    known.add(value)

    def _check_key(self, scope: Scope, keys: KeyRing, wanted: KeyScope) -> str:
        presented = ""
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                presented = value[7:].strip().decode("latin-1")
            elif name == b"x-api-key" and not presented:
                presented = value.decode("latin-1")
        key = keys.find(presented) if presented else self.visitors.find(scope)
        if key is None:
            said = "The API key is wrong." if presented else "An API key is needed (Authorization: Bearer …)."
            raise RequestError(said, status=401, code="invalid_api_key")
        if wanted not in key.scopes and "admin" not in key.scopes:
            raise RequestError(
                f"The key '{key.name}' may not do this.", status=403, code="insufficient_scope"
            )
        return key.name


def needed(path: str) -> KeyScope:
    """The scope that a path asks for. What others asked and were told is for readers."""
    if path.startswith("/v1/decisions") or path == "/metrics":
        return "read"
    return "inference" if path.startswith("/v1/") else "admin"


def _names_loopback(value: bytes, own: str) -> bool:
    """Whether a Host (`name:port`) or an Origin (`scheme://name:port`) names this machine."""
    text = value.decode("latin-1")
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return False
    return host == own or is_loopback(host)
