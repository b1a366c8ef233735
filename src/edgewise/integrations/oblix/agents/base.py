"""What an agent is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class BaseAgent(ABC):
    """Is asked before each request, and obeyed.

    `check` gives a dict: `proceed` (False blocks), `target` (`local`, `cloud` or `hybrid`), `state`,
    `reason`, `metrics`. What it leaves out speaks for nothing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_active = False

    async def initialize(self) -> bool:
        """Get ready; called before the first check, and again after it gave False."""
        self.is_active = True
        return True

    @abstractmethod
    async def check(self, **kwargs: Any) -> dict[str, Any]:
        """Say where this request should go.

        `kwargs` hold its `prompt` and `model_id` (None unless it is pinned), the hooked `candidates`, and the
        `signals`: what is known of the world, by name.
        """

    async def shutdown(self) -> None:
        """Let go of what was begun."""
        self.is_active = False
