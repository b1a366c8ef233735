"""What is wrong with the limits that a configuration sets."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import LimitsSettings, ServerKey, Settings


def limits_complaints(settings: Settings) -> Iterator[Complaint]:
    """What of `[limits]`, of the keys' limits and of the candidates' slots cannot be kept."""
    yield from _shared(settings.limits)
    for index, key in enumerate(settings.server.keys):
        yield from _key(f"server.keys[{index}]", key, settings)
    for index, candidate in enumerate(settings.candidates):
        if candidate.slots is not None and candidate.slots < 1:
            yield expected(f"candidates[{index}].slots", candidate.slots, "a number of 1 or more")


def _shared(limits: LimitsSettings) -> Iterator[Complaint]:
    if limits.in_flight < 1:
        yield expected("limits.in_flight", limits.in_flight, "a number of 1 or more")
    if limits.most_in_flight < limits.in_flight:
        yield expected(
            "limits.most_in_flight", limits.most_in_flight, f"at least in_flight ({limits.in_flight})"
        )
    if not 0.0 <= limits.waiting < inf:
        yield expected("limits.waiting", limits.waiting, "a number of 0 or more")
    if not 0.0 < limits.max_wait_s < inf:
        yield expected("limits.max_wait_s", limits.max_wait_s, "a number above 0")


def _key(here: str, key: ServerKey, settings: Settings) -> Iterator[Complaint]:
    for name in ("requests_per_minute", "tokens_per_minute", "usd_per_day"):
        given = getattr(key, name)
        if given is not None and not 0 < given < inf:
            yield expected(f"{here}.{name}", given, "a number above 0")
    if key.usd_per_day is None:
        return
    unpriced = [c.id for c in settings.candidates if c.location == "cloud" and c.price is None]
    if unpriced:
        yield Complaint(
            f"{here}.usd_per_day",
            f"cannot be kept, since {unpriced[0]} has no price",
            "expected a price on every candidate in the cloud, where a key has a budget",
        )
