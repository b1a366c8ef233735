"""What the rows of a profile come to, candidate by candidate; memory for numbers only, not for texts."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.errors import StoreError
from edgewise.learning.profile.journal import OUTCOMES, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Measured(Struct, frozen=True):
    """What a summary reads of a row."""

    candidate: str
    status: str
    location: str = ""
    latency_s: float | None = None
    ttft_s: float | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Summary(Struct, frozen=True, omit_defaults=True):
    """One candidate's calls. Latencies in seconds, of whole answers alone; `cost_usd` is what is known."""

    candidate: str
    location: str
    calls: int
    ok: int
    failed: int
    lost: int
    cost_usd: float
    latency_s: float | None = None
    latency_p95_s: float | None = None
    ttft_s: float | None = None
    output_tokens: float | None = None


@dataclass(slots=True)
class _Sums:
    location: str = ""
    calls: int = 0
    failed: int = 0
    lost: int = 0
    cost: float = 0.0
    tokens: int = 0
    latency: array[float] = field(default_factory=lambda: array("d"))
    ttft: array[float] = field(default_factory=lambda: array("d"))

    def add(self, row: Measured) -> None:
        self.calls += 1
        self.location = row.location
        self.cost += row.cost_usd or 0.0
        if row.status == "cancelled":
            self.lost += 1
        elif row.status != "ok":
            self.failed += 1
        else:
            self.tokens += row.output_tokens or 0
            if row.latency_s is not None:
                self.latency.append(row.latency_s)
            if row.ttft_s is not None:
                self.ttft.append(row.ttft_s)


def summary(folder: Path) -> tuple[Summary, ...]:
    """Every candidate of a profile. Raises `StoreError` where a row is damaged."""
    return summed(rows_in(folder))


def rows_in(place: Path) -> Iterator[Measured]:
    """The rows of a profile's folder, or of a table of JSON lines. Raises `StoreError`."""
    path = place / OUTCOMES if place.is_dir() else place
    if not path.exists():
        raise StoreError(f"There is no profile in {place}; `edgewise profile PROMPTS -o DIR` makes one.")
    return lines(path, Measured)


def summed(rows: Iterable[Measured]) -> tuple[Summary, ...]:
    """The same of rows from anywhere, by the candidate's name."""
    found: dict[str, _Sums] = {}
    for row in rows:
        found.setdefault(row.candidate, _Sums()).add(row)
    return tuple(_summary(name, found[name]) for name in sorted(found))


def _summary(name: str, sums: _Sums) -> Summary:
    ok = sums.calls - sums.failed - sums.lost
    return Summary(
        candidate=name,
        location=sums.location,
        calls=sums.calls,
        ok=ok,
        failed=sums.failed,
        lost=sums.lost,
        cost_usd=sums.cost,
        latency_s=_quantile(sums.latency, 0.5),
        latency_p95_s=_quantile(sums.latency, 0.95),
        ttft_s=_quantile(sums.ttft, 0.5),
        output_tokens=sums.tokens / ok if ok else None,
    )


def _quantile(values: array[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
