"""Nobody spends what is not there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals

TYPICAL_OUTPUT_TOKENS = 500


class Budget(Struct, frozen=True):
    """A limit a day and a limit a request, in USD.

    Reads `spent_usd`, whose state is `constrained` and `critical` as the day's budget runs low; a candidate
    that costs money is then penalised, and removed where the request would exceed a limit. Without a price
    nobody can promise anything: an unpriced candidate is removed as soon as there is any budget. What a
    request costs is estimated from its text and the output that it asks for, or a typical one.
    """

    usd_per_day: float | None = None
    usd_per_request: float | None = None
    output_tokens: int = TYPICAL_OUTPUT_TOKENS
    constrained_penalty: float = 0.2
    critical_penalty: float = 100.0

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate that the budget cannot pay, softly to one that it can hardly."""
        daily, single = self.usd_per_day, self.usd_per_request
        if daily is None and single is None:
            return None
        price = candidate.price
        if price is None:
            return Objection(candidate.id, "budget", "It has no price, and there is a budget to keep")
        needs = request.needs
        cost = price.cost(needs.input_tokens, (needs.output_tokens or self.output_tokens) * needs.answers)
        if cost <= 0.0:
            return None
        if single is not None and cost > single:
            return Objection(
                candidate.id,
                "budget",
                f"This request would cost about {dollars(cost)}, and {dollars(single)} is allowed",
            )
        return None if daily is None else self._day(candidate, cost, daily, signals)

    def _day(self, candidate: Candidate, cost: float, daily: float, signals: Signals) -> Objection | None:
        spent = signals.get("spent_usd")
        if spent is None or spent.value is None:
            return Objection(
                candidate.id, "budget", "Nobody knows what was spent today, and there is a budget"
            )
        if spent.value + cost > daily:
            return Objection(
                candidate.id,
                "budget",
                f"{dollars(spent.value)} of today's {dollars(daily)} is spent, and this would cost about "
                f"{dollars(cost)}",
            )
        if spent.state == "critical":
            penalty = self.critical_penalty
        elif spent.state == "constrained":
            penalty = self.constrained_penalty
        else:
            return None
        share = spent.value / daily
        return Objection(candidate.id, "budget", f"{share:.0%} of today's {dollars(daily)} is spent", penalty)


def dollars(amount: float) -> str:
    """`$5`, `$0.32`, `$0.00002`: six digits that count, never an exponent."""
    return f"${Decimal(f'{amount:.6g}'):f}"
