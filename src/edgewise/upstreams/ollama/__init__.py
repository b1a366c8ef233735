"""Ollama by its own API: `/api/chat`, and `/api/ps` for what is loaded."""

from __future__ import annotations

from edgewise.upstreams.ollama.ask import Ollama

__all__ = ["Ollama"]
