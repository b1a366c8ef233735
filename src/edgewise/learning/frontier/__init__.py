"""Quality against cost, latency or energy on one's own traffic: what each setting would come to."""

from __future__ import annotations

from edgewise.learning.frontier.estimate import AXES, Frontier, Point, frontier

__all__ = ["AXES", "Frontier", "Point", "frontier"]
