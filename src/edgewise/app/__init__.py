"""The composition root: settings in, a ready router out."""

from __future__ import annotations

from edgewise.app.app import App
from edgewise.app.deciding import decider

__all__ = ["App", "decider"]
