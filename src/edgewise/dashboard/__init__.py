"""The pages that people look at: written here, kept up to date by server-sent events."""

from __future__ import annotations

from edgewise.dashboard.site import Dashboard
from edgewise.dashboard.sources import Sources

__all__ = ["Dashboard", "Sources"]
