"""What a program of the SDK may want to catch; both are `EdgewiseError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.errors import EdgewiseError, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Blocked(EdgewiseError):
    """An agent said that the prompt must not be executed. `agent` is its name."""

    def __init__(self, agent: str, reason: str) -> None:
        self.agent = agent
        said = reason.strip().rstrip(".") or "it gave no reason"
        super().__init__(f"The agent '{agent}' blocked the request: {said}.")


class NoAnswer(UpstreamError):
    """No model answered. `reasons` has a sentence for each one that was tried or could not be."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = {name: why.removeprefix(name).lstrip(": ") for name, why in reasons.items()}
        listed = "; ".join(f"{name}: {why}" for name, why in self.reasons.items())
        super().__init__(f"No model answered: {listed}.")
