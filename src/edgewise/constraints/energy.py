"""Once the day's energy is spent, the leanest candidate answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.candidates import Objection
from edgewise.domain.energy import energy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals

TYPICAL_TOKENS: Final = 500  # read, and as many written
TYPICAL_S: Final = 10.0


class EnergyBudget(Struct, frozen=True):
    """A limit a day in joules, by estimate; `leanest` is who answers when it is reached.

    Reads `spent_j`, whose state is `constrained` and `critical` as the day's energy runs low: the others are
    then penalised, and removed once it is spent. The leanest is never removed: energy that is estimated is no
    reason to answer nobody.
    """

    joules_per_day: float
    leanest: str
    constrained_penalty: float = 0.2
    critical_penalty: float = 100.0

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to everybody but the leanest, softly while there is some energy left."""
        del request
        spent = signals.get("spent_j")
        if spent is None or spent.value is None or candidate.id == self.leanest:
            return None
        said = f"About {spent.value:.4g} J of today's {self.joules_per_day:.4g} J are spent"
        if spent.value >= self.joules_per_day:
            return Objection(candidate.id, "budget", f"{said}, and {self.leanest} takes the least")
        if spent.state == "critical":
            return Objection(candidate.id, "budget", said, self.critical_penalty)
        if spent.state == "constrained":
            return Objection(candidate.id, "budget", said, self.constrained_penalty)
        return None


def leanest(candidates: Iterable[Candidate], measured: dict[str, float]) -> str | None:
    """Who takes the least for a typical request; None where nothing is known of anybody.

    `measured` are the watts of those that are measured while they answer, by id.
    """
    known: dict[str, float] = {}
    for candidate in candidates:
        if candidate.id in measured:
            known[candidate.id] = measured[candidate.id] * TYPICAL_S
            continue
        found = energy_of(candidate, TYPICAL_S, TYPICAL_TOKENS, TYPICAL_TOKENS)
        if found is not None:
            known[candidate.id] = found[0]
    return min(known, key=known.__getitem__, default=None)
