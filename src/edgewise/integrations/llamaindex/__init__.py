"""LlamaIndex in front of a gateway: its client for endpoints like OpenAI's, set up for Edgewise."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("llama_index") is None:
    raise MissingExtra("edgewise.integrations.llamaindex", "llamaindex")

from edgewise.integrations.llamaindex.behind import edgewise_llm

__all__ = ["edgewise_llm"]
