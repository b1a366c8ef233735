"""Edgewise's errors → LangChain's own, by the candidate's status or the gateway's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from edgewise.domain.errors import (
    RequestError,
    SettingsError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from edgewise.gateway.failures import failure

if TYPE_CHECKING:
    from edgewise.domain.errors import EdgewiseError

BY_STATUS: dict[int, type[ModelError]] = {
    401: ModelAuthenticationError,
    403: ModelPermissionDeniedError,
    404: ModelNotFoundError,
    429: ModelRateLimitError,
}
SERVER = 500


def raised(error: EdgewiseError) -> NoReturn:
    """Raise what LangChain calls it; the cause is kept, and so is its sentence."""
    if isinstance(error, SettingsError):
        raise error
    raise _category(error)(str(error)) from error


def _category(error: EdgewiseError) -> type[ModelError]:
    if isinstance(error, UpstreamTimeout):
        return ModelTimeoutError
    if isinstance(error, UpstreamUnreachable):
        return ModelConnectionError
    if isinstance(error, RequestError) and error.code == "context_length_exceeded":
        return ContextOverflowError
    status = error.status if isinstance(error, UpstreamRefused) else failure(error)[0]
    return BY_STATUS.get(status, ModelAPIError if status >= SERVER else ModelInvalidRequestError)
