"""Edgewise's errors → pydantic-ai's own, so that `ModelAPIError` catches what it should.

EdgewiseError → pydantic-ai
    SettingsError, MissingExtra                → UserError
    UnknownModel, RequestError                 → ModelNotFoundError, ModelRequestRejectedError (by status)
    NoEligibleCandidate                        → ModelRequestRejectedError, ModelContextWindowExceededError,
                                                 ModelUnavailableError (where it may pass)
    LimitReached                               → ModelRateLimitError
    UpstreamRefused                            → by the status that the candidate answered with
    UpstreamTimeout, UpstreamUnreachable       → ModelTimeoutError, ModelConnectionError
    Overloaded, CircuitOpen                    → ModelOverloadedError, ModelUnavailableError
    WouldLeave                                 → ModelRequestRejectedError
    any other                                  → ModelServerError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)

from edgewise.domain.errors import (
    CircuitOpen,
    EdgewiseError,
    LimitReached,
    MissingExtra,
    Overloaded,
    RequestError,
    SettingsError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    WouldLeave,
)
from edgewise.execution.retries import retry_after_s

if TYPE_CHECKING:
    from pydantic_ai.exceptions import AgentRunError

TOO_LONG = "context_length_exceeded"
Category = type[
    ModelRateLimitError
    | ModelQuotaExceededError
    | ModelUnavailableError
    | ModelServerError
    | ModelRequestRejectedError
]
BY_STATUS: dict[int, Category] = {
    400: ModelRequestRejectedError,
    401: ModelAuthenticationError,
    402: ModelQuotaExceededError,
    403: ModelAuthenticationError,
    404: ModelNotFoundError,
    422: ModelRequestRejectedError,
    429: ModelRateLimitError,
    503: ModelUnavailableError,
    529: ModelOverloadedError,
}
SERVER = range(500, 600)


def raised(error: EdgewiseError, model: str, *, in_stream: bool = False) -> NoReturn:
    """Raise what pydantic-ai calls it; the cause is kept, and so is its sentence."""
    raise error_of(error, model, in_stream=in_stream) from error


def error_of(error: EdgewiseError, model: str, *, in_stream: bool = False) -> AgentRunError | UserError:
    """What pydantic-ai calls an error of Edgewise's. `model` is what was asked for, or who failed."""
    said = str(error)
    match error:
        case SettingsError() | MissingExtra():
            return UserError(said)
        case RequestError():
            return _http(error.status, model, said, code=error.code, retry_after=_patience(error))
        case UpstreamRefused():
            return _http(
                error.status,
                model,
                _body(error),
                code=_code(error),
                retry_after=retry_after_s(error.retry_after),
            )
        case UpstreamTimeout():
            return ModelTimeoutError(model, said, in_stream=in_stream)
        case UpstreamUnreachable():
            return ModelConnectionError(model, said, phase="connect", in_stream=in_stream)
        case Overloaded():
            return ModelOverloadedError(model, said, retry_after=error.retry_after_s)
        case CircuitOpen():
            return ModelUnavailableError(model, said, retry_after=error.retry_after_s)
        case WouldLeave():
            return ModelRequestRejectedError(model, said, provider_error_code="privacy")
        case _ if in_stream:
            return ModelConnectionError(model, said, phase="read", in_stream=True)
        case _:
            return ModelServerError(model, said)


def _http(
    status: int, model: str, body: object, *, code: str | None, retry_after: float | None
) -> ModelAPIError:
    category: Category | None = BY_STATUS.get(status, ModelServerError if status in SERVER else None)
    if code == TOO_LONG:
        category = ModelContextWindowExceededError
    elif code == "insufficient_quota":
        category = ModelQuotaExceededError
    return ModelHTTPError.for_category(
        category,
        status_code=status,
        model_name=model,
        body=body,
        provider_error_code=code,
        retry_after=retry_after,
    )


def _patience(error: RequestError) -> float | None:
    return error.retry_after_s if isinstance(error, LimitReached) else None


class _Detail(msgspec.Struct):
    code: str | int | None = None


class _Refusal(msgspec.Struct):
    error: _Detail | None = None


def _code(error: UpstreamRefused) -> str | None:
    try:
        detail = msgspec.json.decode(error.body, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if detail is None or detail.code is None else str(detail.code)


def _body(error: UpstreamRefused) -> object:
    """The candidate's own words, as JSON where they are."""
    try:
        return msgspec.json.decode(error.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return str(error)
