"""OpenAI's error object: the one piece of wire format that more than the gateway has to write."""

from __future__ import annotations

import msgspec

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


def error_body(message: str, *, status: int, code: str | None = None, param: str | None = None) -> bytes:
    """`{"error": {message, type, param, code}}`, its type derived from the HTTP status."""
    kind = ERROR_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004 - HTTP's own classes
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def error_event(message: str, *, code: str) -> bytes:
    """The same as a server-sent event, for a failure after a stream has begun, and the stream's end."""
    return b"data: " + error_body(message, status=502, code=code) + b"\n\ndata: [DONE]\n\n"
