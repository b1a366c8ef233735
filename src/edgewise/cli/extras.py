"""A command that needs an extra says so before it starts."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

LEARNING = ("numpy", "safetensors", "scipy", "xgboost")


def need_learning() -> None:
    """Raise `MissingExtra` unless what learned policies need is installed."""
    if any(find_spec(name) is None for name in LEARNING):
        raise MissingExtra("A learned policy", "learn")
