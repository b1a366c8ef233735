"""From what the log's own database counted to tallies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.monitors.production.histogram import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.monitors.production.rings import Ring
    from edgewise.outcomes.counting import Counted


def take(ring: Ring, counted: Counted, edges: Mapping[str, bool]) -> None:
    """Add a counted span to the ring's buckets; `edges` says of candidates whether they are at the edge."""
    for ended in counted.ended:
        tally = ring.at(ended.bucket)
        edge = edges.get(ended.candidate)
        tally.edge += ended.requests if edge else 0
        tally.cloud += ended.requests if edge is False else 0
        tally.ok += ended.ok
        tally.cancelled += ended.cancelled
        tally.failed += ended.requests - ended.ok - ended.cancelled
        tally.fallbacks += ended.fallbacks
        tally.priced += ended.priced
        tally.cost_usd += ended.cost_usd
        tally.cost_squares += ended.cost_squares
        tally.powered += ended.powered
        tally.energy_j += ended.energy_j
        tally.cloud_usd += ended.cost_usd if edge is False else 0.0
    for bucket, seconds, count in counted.took:
        took, place = ring.at(bucket).took, place_of(seconds)
        took[place] = took.get(place, 0) + count
    for bucket, usd, unpriced in counted.paid:
        ring.at(bucket).paid_usd += usd
        ring.at(bucket).unpriced += unpriced
    for bucket, said, quality, squares in counted.said:
        tally = ring.at(bucket)
        tally.said += said
        tally.quality += quality
        tally.quality_squares += squares
