"""Figures of the traffic in words: what they are called, and a number with its unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

UNITS: Final = {
    "edge_share": "{:.1%}",
    "quality": "{:.3f}",
    "p50_s": "{:.3g} s",
    "p95_s": "{:.3g} s",
    "p99_s": "{:.3g} s",
    "typical_s": "{:.3g} s",
    "error_rate": "{:.1%}",
    "fallback_rate": "{:.1%}",
    "budget_burn": "{:.2g} times the even pace",
    "budget_used": "{:.0%}",
    "energy_per_query": "{:.4g} J",
    "prompt_psi": "{:.2f}",
    "far_share": "{:.1%}",
    "quality_shift": "{:.3f}",
    "latency_shift": "{:.2f} times the usual",
    "requests": "{:,}",
}
MONEY: Final = ("cost_per_query", "spent_usd")
NOUNS: Final = {
    "edge_share": "The share of requests that the edge answered",
    "quality": "The mean quality that feedback gives",
    "p50_s": "The median of latency",
    "p95_s": "The 95th percentile of latency",
    "p99_s": "The 99th percentile of latency",
    "cost_per_query": "The cost of a request",
    "error_rate": "The share of requests that failed",
    "fallback_rate": "The share of requests that another candidate had to take over",
    "budget_burn": "The pace at which the budget is spent",
    "budget_used": "The part of today's budget that is spent",
    "energy_per_query": "The estimated energy of a request",
    "prompt_psi": "How far prompts have moved from those that were learned from (population stability index)",
    "far_share": "The share of prompts unlike all that was learned from",
    "quality_shift": "The quality that answers fall short of what was expected of them",
    "latency_shift": "The time that answers take",
}


def said(figure: str, value: float) -> str:
    """`81.5%`, `1.7 s`, `$0.00025`: the figure's value with its unit."""
    return usd(value) if figure in MONEY else UNITS[figure].format(value)


def usd(amount: float) -> str:
    """`$12,345.60`, `$0.0042`: cents from a dollar on, and two digits below it, never an exponent."""
    if amount == 0.0 or abs(amount) >= 1.0:
        return f"${amount:,.2f}" if amount else "$0"
    return f"${Decimal(f'{amount:.2g}'):f}" if abs(amount) < 0.1 else f"${amount:.2f}"  # noqa: PLR2004 - both keep two digits


def counted(number: int, noun: str) -> str:
    """`1 call`, `1,234 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
