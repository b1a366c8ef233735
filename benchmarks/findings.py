"""What a measurement found: a figure, its target, and the rounds behind it."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure with the limit that it should not pass. `why_invalid` says why it must not be quoted."""

    name: str
    value: float
    unit: str
    target: float
    ambition: float | None = None
    note: str = ""
    why_invalid: str = ""
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def verdict(self) -> str:
        """Whether the target was reached, in a word or two."""
        if self.why_invalid:
            return "INVALID"
        if self.ambition is not None and self.value <= self.ambition:
            return "ambition reached"
        return "reached" if self.value <= self.target else "MISSED"

    def as_json(self) -> dict[str, Any]:
        """Everything, for the results file."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Over at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.low:.1f} to {self.high:.1f})"
