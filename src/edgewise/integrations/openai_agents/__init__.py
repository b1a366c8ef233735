"""OpenAI's Agents SDK with Edgewise inside: a provider of models."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("agents") is None:
    raise MissingExtra("edgewise.integrations.openai_agents", "openai-agents")

from edgewise.integrations.openai_agents.provider import EdgewiseProvider

__all__ = ["EdgewiseProvider"]
