"""Objectives: what a good choice is. Forecasts (or measured outcomes) and the prompt's criticality → utility.

The formulas take floats and numpy arrays alike, so that serving, training and evaluation share them.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from edgewise.domain.errors import SettingsError

OBJECTIVES = ("qos", "reward", "quality-at-cost", "cheapest-at-quality", "fastest-at-quality")
NEEDS = {
    "qos": ("quality", "latency_s"),
    "reward": ("reward",),
    "quality-at-cost": ("quality",),
    "cheapest-at-quality": ("quality", "cost_usd"),
    "fastest-at-quality": ("quality", "latency_s"),
}
SHORTFALL = (
    100.0  # one point of quality below the floor weighs as much as 100 USD per 1,000 prompts, or 100 s
)
CENT = 1000.0  # costs are weighed in USD per 1,000 prompts
LEAST_LATENCY_S = 1e-3


class Measured(Struct, frozen=True):
    """What is known of candidates for a prompt: quality 0-1, seconds, USD, reward; criticality 0-10.

    Floats or arrays that broadcast.
    """

    quality: Any = None
    latency_s: Any = None
    cost_usd: Any = None
    reward: Any = None
    mission: Any = 5.0
    time: Any = 5.0


class Objective(Struct, frozen=True):
    """What a good choice is.

    `weight` is λ of `quality-at-cost`: the quality that 1 USD per 1,000 prompts is worth. `floor` is the
    quality that `cheapest-at-quality` and `fastest-at-quality` ask for. Raises `SettingsError` for an
    unknown name.
    """

    name: str = "qos"
    weight: float = 0.0
    floor: float = 0.8

    def __post_init__(self) -> None:
        if self.name not in OBJECTIVES:
            near = get_close_matches(self.name, OBJECTIVES, n=1)
            hint = f" Perhaps '{near[0]}' was meant." if near else ""
            raise SettingsError(
                f"There is no objective '{self.name}'; there are {', '.join(OBJECTIVES)}.{hint}"
            )
        if not 0.0 <= self.floor <= 1.0:
            raise SettingsError(f"The floor of quality lies between 0 and 1, found {self.floor:g}.")
        if not self.weight >= 0.0:
            raise SettingsError(f"The weight of cost must not be negative, found {self.weight:g}.")

    @property
    def needs(self) -> tuple[str, ...]:
        """The metrics without which there is no utility."""
        return NEEDS[self.name]

    def utility(self, found: Measured) -> Any:
        """The utility of what is known; higher is better, only differences matter."""
        if self.name == "reward":
            return found.reward
        if self.name == "qos":
            latency = _at_least(found.latency_s, LEAST_LATENCY_S)
            return (1 + found.mission / 10) * found.quality + (1 + found.time / 10) / latency
        if self.name == "quality-at-cost":
            if found.cost_usd is None or self.weight == 0.0:
                return found.quality
            return found.quality - self.weight * CENT * found.cost_usd
        short = _at_least(self.floor - found.quality, 0.0)
        price = CENT * found.cost_usd if self.name == "cheapest-at-quality" else found.latency_s
        return -SHORTFALL * short - price


def _at_least(value: Any, least: float) -> Any:
    """The larger of the two; NaN stays NaN."""
    if isinstance(value, float | int):
        return max(value, least)
    return value.clip(min=least)
