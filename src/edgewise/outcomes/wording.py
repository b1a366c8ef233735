"""Figures and names as words, for the explanation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edgewise.outcomes.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from edgewise.domain.decisions import CostState, Estimate, Forecast, Outcome
    from edgewise.domain.energy import EnergyBasis

THOUSANDS = 1000
COST: dict[CostState, str] = {
    "billed": "by the tokens that were reported",
    "estimated": "estimated, the tokens were not reported",
    "unpriced": "unpriced",
}

ENERGY: dict[EnergyBasis, str] = {
    "cpu": "by CPU time",
    "gpu": "by the graphics processor's counter",
    "watts": "by the candidate's watts",
    "tokens": "by joules a token",
}


def forecast(expected: Forecast) -> str:
    """Every measure that is foreseen, with its interval."""
    named = (
        ("quality", expected.quality, ""),
        ("latency", expected.latency_s, " s"),
        ("cost", expected.cost_usd, " USD"),
        ("energy", expected.energy_j, " J"),
        ("utility", expected.utility, ""),
    )
    return ", ".join(f"{what} {estimate(e)}{unit}" for what, e, unit in named if e is not None)


def estimate(number: Estimate) -> str:
    """`0.7 (0.6 to 0.8)`."""
    return f"{number.mean:.3g} ({number.low:.3g} to {number.high:.3g})"


def energy(outcome: Outcome) -> str | None:
    """`about 12 J, an estimate (CPU time)`; None where nothing is known of it."""
    if outcome.energy_j is None:
        return None
    bases = dict.fromkeys(ENERGY[a.energy_basis] for a in outcome.attempts if a.energy_basis is not None)
    return f"about {outcome.energy_j:.3g} J, an estimate ({', '.join(bases) or 'its basis is not known'})"


def tokens(outcome: Outcome) -> str:
    """`12 in, 34 out`."""
    asked, answered = ("unknown" if n is None else n for n in (outcome.input_tokens, outcome.output_tokens))
    return f"{asked} in, {answered} out"


def cost(outcome: Outcome, *, simulated: bool) -> str:
    """USD, and how they are known."""
    if outcome.cost_usd is None:
        return "unpriced" if outcome.cost_state == "unpriced" else "unknown, the tokens were not reported"
    pretended = "; simulated, nobody is charged" if simulated and outcome.cost_usd else ""
    said = COST[outcome.cost_state]
    if outcome.cost_state == "estimated" and len(outcome.attempts) > 1:
        said = "estimated, the tokens of one attempt at least were not reported"
    return f"${outcome.cost_usd:.6f} ({said}{pretended})"


def name(candidate: str, *, simulated: bool) -> str:
    """The candidate's id, labelled where it is simulated."""
    already = "simulated" in candidate
    return plain(candidate) + (" (simulated)" if simulated and not already else "")


def percent(share: float) -> str:
    """`12.5 %`."""
    return f"{share * 100:.4g} %"


def seconds(time_s: float) -> str:
    """`250 ms`, or `1.50 s`."""
    return f"{time_s * 1000:.0f} ms" if time_s < 1.0 else f"{time_s:.2f} s"


def world(signals: Mapping[str, float]) -> Iterator[str]:
    """`cpu 0.35, link 1`: the values of signals, first those of the machine, then those of each candidate."""
    groups: dict[str, list[str]] = {}
    for signal, value in sorted(signals.items()):
        what, _, whose = signal.partition(":")
        groups.setdefault(whose, []).append(f"{plain(what)} {_value(value)}")
    for whose, values in sorted(groups.items()):
        yield f"   {plain(whose) or 'this machine'}: {', '.join(values)}"


def _value(value: float) -> str:
    return f"{value:.3g}" if abs(value) < THOUSANDS else f"{value:,.0f}"


def moment(at: float, zone: tzinfo | None) -> str:
    """A date, a time and their zone."""
    return datetime.fromtimestamp(at, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
