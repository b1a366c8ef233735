"""What is checked of `[energy]`, of its budget, and of candidates' figures."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edgewise.settings.complaints import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.complaints import Complaint
    from edgewise.settings.schema import Settings


def energy_complaints(settings: Settings) -> Iterator[Complaint]:
    """What cannot be an amount of energy."""
    if not 0.0 <= settings.energy.watts_per_core < inf:
        yield expected("energy.watts_per_core", settings.energy.watts_per_core, "a number of 0 or more")
    joules = settings.budget.joules_per_day
    if joules is not None and not 0.0 < joules < inf:
        yield expected("budget.joules_per_day", joules, "a number above 0")
    for index, candidate in enumerate(settings.candidates):
        figure = candidate.joules_per_token
        for side in () if figure is None else ("input", "output"):
            if not 0.0 <= getattr(figure, side) < inf:
                key = f"candidates[{index}].joules_per_token.{side}"
                yield expected(key, getattr(figure, side), "a number of 0 or more")
