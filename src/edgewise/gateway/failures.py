"""What went wrong → status, headers and body in OpenAI's shape."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.domain.errors import (
    AssetError,
    CircuitOpen,
    EdgewiseError,
    LimitReached,
    MissingExtra,
    Overloaded,
    RequestError,
    StoreError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    WouldLeave,
)
from edgewise.domain.wire import error_body
from edgewise.execution.retries import retry_after_s

if TYPE_CHECKING:
    from edgewise.gateway.wire import Headers

# A candidate's verdict on the client's request is the client's business; one on our key is not.
PASSED_ON = frozenset({400, 404, 409, 413, 415, 422, 429})
FIELDS = ("message", "type", "param", "code")


class _Refusal(msgspec.Struct):
    error: dict[str, Any]


_refusal = msgspec.json.Decoder(_Refusal)


def failure(error: Exception) -> tuple[int, Headers, bytes]:
    """The answer to a request that failed with `error`. What we did not foresee stays a plain 500.

    What was tried again already is not to be tried again by the client, too.
    """
    status, headers, body = _answer(error)
    if isinstance(error, UpstreamError) and error.retried:
        headers = [*headers, (b"x-should-retry", b"false")]
    return status, headers, body


def in_words(error: Exception) -> dict[str, Any]:
    """What the body of that answer says: the error object alone, for a part of a batch that failed."""
    said: dict[str, Any] = msgspec.json.decode(failure(error)[2])["error"]
    return said


def _answer(error: Exception) -> tuple[int, Headers, bytes]:
    match error:
        case LimitReached() | Overloaded() | CircuitOpen():
            return _not_now(error)
        case RequestError():
            return error.status, [], _body(error, error.status, error.code, error.param)
        case UpstreamRefused():
            return _refused(error)
        case WouldLeave():  # no server's failure: a client must not try it again
            return 400, [], _body(error, 400, "privacy")
        case UpstreamTimeout():
            return 504, [], _body(error, 504, "upstream_timeout")
        case StoreError():
            return 503, [], _body(error, 503, "store_unavailable")
        case AssetError() | MissingExtra():
            return 503, [], _body(error, 503, "not_installed")
        case EdgewiseError():
            return 502, [], _body(error, 502, "upstream_error")
        case _:
            return (
                500,
                [],
                error_body("Edgewise made a mistake; its log says more.", status=500, code="internal"),
            )


def _not_now(error: LimitReached | Overloaded | CircuitOpen) -> tuple[int, Headers, bytes]:
    """Nobody was asked; it may be worth while later."""
    if isinstance(error, CircuitOpen):
        return 503, _retry(error), _body(error, 503, "circuit_open")
    code = error.code if isinstance(error, LimitReached) else "overloaded"
    return 429, _retry(error), _body(error, 429, code)


def _retry(error: LimitReached | Overloaded | CircuitOpen) -> Headers:
    """When to ask again: whole seconds for everybody, milliseconds for those that read them."""
    seconds = max(0.001, error.retry_after_s)
    headers: Headers = [
        (b"retry-after", b"%d" % ceil(seconds)),
        (b"retry-after-ms", b"%d" % ceil(seconds * 1000)),
    ]
    if isinstance(error, LimitReached) and error.code == "insufficient_quota":
        headers.append((b"x-should-retry", b"false"))  # not before tomorrow
    return headers


def _body(error: Exception, status: int, code: str | None, param: str | None = None) -> bytes:
    return error_body(str(error), status=status, code=code, param=param)


def _refused(error: UpstreamRefused) -> tuple[int, Headers, bytes]:
    if error.status not in PASSED_ON:
        return 502, [], _body(error, 502, "upstream_error")
    headers: Headers = []
    said = error.retry_after or ""
    if said.isascii() and said.isprintable() and retry_after_s(said) is not None:
        headers = [(b"retry-after", said.encode())]
    return error.status, headers, _in_shape(error)


def _in_shape(error: UpstreamRefused) -> bytes:
    """A candidate's own words: byte for byte where they have OpenAI's shape, otherwise put into it."""
    try:
        said = _refusal.decode(error.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _body(error, error.status, "upstream_error")
    texts = all(isinstance(said.get(key), str) for key in ("message", "type"))
    if texts and all(isinstance(said.get(key, ...), str | None) for key in ("param", "code")):
        return error.body
    usual = msgspec.json.decode(error_body(str(error), status=error.status))["error"]
    given = {key: _text(said.get(key)) for key in FIELDS}
    return msgspec.json.encode({"error": {**said, **{k: v or usual[k] for k, v in given.items()}}})


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None
