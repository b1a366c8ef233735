"""Edgewise's errors → what LiteLLM makes its own of, by the candidate's status or the gateway's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from litellm.llms.custom_llm import CustomLLMError

from edgewise.domain.errors import UpstreamRefused
from edgewise.gateway.failures import failure

if TYPE_CHECKING:
    from edgewise.domain.errors import EdgewiseError


def raised(error: EdgewiseError) -> NoReturn:
    """Raise it with its sentence; the cause is kept."""
    status = error.status if isinstance(error, UpstreamRefused) else failure(error)[0]
    raise CustomLLMError(status, str(error)) from error
