"""LiteLLM with Edgewise inside: a provider, and a routing strategy for its router."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("litellm") is None:
    raise MissingExtra("edgewise.integrations.litellm", "litellm")

from edgewise.integrations.litellm.provider import EdgewiseLLM, register
from edgewise.integrations.litellm.strategy import EdgewiseStrategy

__all__ = ["EdgewiseLLM", "EdgewiseStrategy", "register"]
