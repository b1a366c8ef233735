"""LangChain with Edgewise inside: a chat model."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("langchain_core") is None:
    raise MissingExtra("edgewise.integrations.langchain", "langchain")

from edgewise.integrations.langchain.chat import ChatEdgewise

__all__ = ["ChatEdgewise"]
