"""A profile as pictures and as a page: latency, quality, both together, and edge against cloud."""

from __future__ import annotations

from edgewise.learning.profile.plots.page import draw

__all__ = ["draw"]
