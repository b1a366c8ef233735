"""Edgewise as a server of the Model Context Protocol: what an assistant may ask it."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("mcp") is None:
    raise MissingExtra("Edgewise as an MCP server", "mcp")

from edgewise.integrations.mcp.server import server

__all__ = ["server"]
