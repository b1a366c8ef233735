"""What an adapter can do: each test says which feature it proves, and the docs' table shows it."""

from __future__ import annotations

import pytest

# In the order in which the page shows them.
FEATURES = (
    "answers",
    "async",
    "streaming",
    "tools",
    "structured output",
    "fallback",
    "privacy",
    "sessions",
    "decision visible",
    "feedback",
    "errors",
    "settings",
)


def feature(name: str) -> pytest.MarkDecorator:
    """Say that a test proves that its adapter can do `name`."""
    if name not in FEATURES:
        raise ValueError(f"'{name}' is no feature; there are: {', '.join(FEATURES)}.")
    return pytest.mark.feature(name)
