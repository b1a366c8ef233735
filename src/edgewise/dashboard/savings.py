"""What routing saved, from recorded costs, against always asking one candidate."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.decisions import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.outcomes.booking import Booked

LEAST: Final = 30  # answers of its own, below which a candidate's mean cost says little
NORMAL: Final = 1.96


class Saved(Struct, frozen=True):
    """One baseline, over the requests whose cost and tokens are known; all in USD.

    `recorded_usd` is measured. `baseline_usd` is an estimate: the same tokens at the baseline's price, and so
    are `saved_usd` and its `share`. `own` is another: the mean cost of the baseline's own answers times the
    requests, with its 95 % interval; None below 30 of them.
    """

    baseline: str
    requests: int
    recorded_usd: float
    baseline_usd: float
    own: Estimate | None

    @property
    def saved_usd(self) -> float:
        """What was not spent; below 0 where routing cost more."""
        return self.baseline_usd - self.recorded_usd

    @property
    def share(self) -> float | None:
        """Of the baseline's cost; None where that is nothing."""
        return self.saved_usd / self.baseline_usd if self.baseline_usd > 0 else None


def saved_against(rows: Sequence[Booked], candidates: Mapping[str, Candidate]) -> list[Saved]:
    """Every candidate with a price as a baseline, the dearest first."""
    known = [row for row in rows if row.state != "unpriced" and row.counted == row.requests]
    requests = sum(row.requests for row in known)
    recorded = sum(row.usd for row in known)
    tokens = sum(row.input_tokens for row in known), sum(row.output_tokens for row in known)
    found = [
        Saved(name, requests, recorded, one.price.cost(*map(round, tokens)), _own(name, known, requests))
        for name, one in candidates.items()
        if one.price is not None and one.kind == "chat"
    ]
    return sorted(found, key=lambda saved: -saved.baseline_usd) if requests else []


def _own(name: str, rows: Sequence[Booked], requests: int) -> Estimate | None:
    """The normal interval of a mean: costs are many and bounded."""
    own = [row for row in rows if row.candidate == row.chosen == name]
    answers = sum(row.requests for row in own)
    if answers < LEAST:
        return None
    mean = sum(row.usd for row in own) / answers
    variance = max(0.0, sum(row.usd_squares for row in own) / answers - mean * mean) * answers / (answers - 1)
    half = NORMAL * sqrt(variance / answers)
    return Estimate(requests * mean, requests * max(0.0, mean - half), requests * (mean + half))
