"""A command that needs an extra says so before it starts."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.cli.console import err
from edgewise.domain.errors import MissingExtra

CLASSIFYING = ("numpy", "onnxruntime", "tokenizers")
LEARNING = ("numpy", "safetensors", "scipy", "xgboost")


def need_learning() -> None:
    """Raise `MissingExtra` unless what learned policies need is installed."""
    if any(find_spec(name) is None for name in LEARNING):
        raise MissingExtra("A learned policy", "learn")


def need_classifier() -> None:
    """Raise `MissingExtra` unless what runs a classifier is installed."""
    if any(find_spec(name) is None for name in CLASSIFYING):
        raise MissingExtra("A classifier", "classify")


def need_drawing() -> bool:
    """Whether pictures can be drawn; without what it takes there are none, which is said."""
    if find_spec("matplotlib") is not None:
        return True
    err("There are no pictures without matplotlib: pip install 'edgewise[learn]'.")
    return False
