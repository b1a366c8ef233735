"""Objectives: what a good choice is. Forecasts (or measured outcomes) and the prompt's criticality → utility.

The formulas take floats and numpy arrays alike, so that serving, training and evaluation share them.
Requests, keys and settings spell an objective as `NAME` or `NAME:NUMBER` (`cheapest-at-quality:0.8`).
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from math import inf
from typing import Any

from msgspec import Struct

from edgewise.domain.errors import SettingsError

OBJECTIVES = (
    "qos",
    "reward",
    "quality-at-cost",
    "cheapest-at-quality",
    "fastest-at-quality",
    "leanest-at-quality",
)
NEEDS = {
    "qos": ("quality", "latency_s"),
    "reward": ("reward",),
    "quality-at-cost": ("quality",),
    "cheapest-at-quality": ("quality", "cost_usd"),
    "fastest-at-quality": ("quality", "latency_s"),
    "leanest-at-quality": ("quality", "energy_j"),
}
NUMBERS = {
    "quality-at-cost": "weight",
    "cheapest-at-quality": "floor",
    "fastest-at-quality": "floor",
    "leanest-at-quality": "floor",
}
EXAMPLES = {"weight": "0.3", "floor": "0.8"}
SHORTFALL = (
    100.0  # one point of quality below the floor weighs as much as 100 USD per 1,000 prompts, or 100 s
)
CENT = 1000.0  # costs are weighed in USD per 1,000 prompts
JOULES = 100.0  # energy is weighed in so many of them: 0.01 of quality below the floor weighs as much
LEAST_LATENCY_S = 1e-3
LONGEST = 100  # characters of a wrong spelling that an error repeats


class Measured(Struct, frozen=True):
    """What is known of candidates for a prompt: quality 0-1, seconds, USD, reward, joules; criticality 0-10.

    Floats or arrays that broadcast.
    """

    quality: Any = None
    latency_s: Any = None
    cost_usd: Any = None
    reward: Any = None
    energy_j: Any = None
    mission: Any = 5.0
    time: Any = 5.0


class Objective(Struct, frozen=True):
    """What a good choice is.

    `weight` is λ of `quality-at-cost`: the quality that 1 USD per 1,000 prompts is worth. `floor` is the
    quality that the objectives ask for whose name ends in `at-quality`. Raises `SettingsError` for an
    unknown name and for a number out of range.
    """

    name: str = "qos"
    weight: float = 0.0
    floor: float = 0.8

    def __post_init__(self) -> None:
        if self.name not in OBJECTIVES:
            said = self.name[:LONGEST]
            near = get_close_matches(said, OBJECTIVES, n=1)
            hint = f" Perhaps '{near[0]}' was meant." if near else ""
            raise SettingsError(f"There is no objective '{said}'; there are {', '.join(OBJECTIVES)}.{hint}")
        if not 0.0 <= self.floor <= 1.0:
            raise SettingsError(f"The floor of quality lies between 0 and 1, found {self.floor:g}.")
        if not 0.0 <= self.weight < inf:
            raise SettingsError(
                f"The weight of cost must not be negative, nor without end, found {self.weight:g}."
            )

    @property
    def needs(self) -> tuple[str, ...]:
        """The metrics without which there is no utility."""
        return NEEDS[self.name]

    @property
    def spelling(self) -> str:
        """`NAME`, or `NAME:NUMBER` where one belongs to it; the same for objectives that choose alike."""
        field = NUMBERS.get(self.name)
        return self.name if field is None else f"{self.name}:{getattr(self, field)!r}"

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
        if self.name == "cheapest-at-quality":
            price = CENT * found.cost_usd
        else:
            price = found.latency_s if self.name == "fastest-at-quality" else found.energy_j / JOULES
        return -SHORTFALL * short - price


@lru_cache(maxsize=256)
def objective_of(spelling: str, own: Objective | None = None) -> Objective:
    """The objective that `NAME` or `NAME:NUMBER` spells; the number is its weight or its floor.

    A name without a number is `own` where that has the same name, and takes the default otherwise. Raises
    `SettingsError`, one sentence.
    """
    name, colon, number = (part.strip() for part in spelling.partition(":"))
    if not colon:
        return own if own is not None and own.name == name else Objective(name)
    Objective(name)  # a wrong name is complained of before its number
    field = NUMBERS.get(name)
    if field is None:
        raise SettingsError(f"The objective '{name}' takes no number, found '{number[:LONGEST]}'.")
    try:
        value = float(number)
    except ValueError:
        raise SettingsError(
            f"The {field} of '{name}' is '{number[:LONGEST]}'; expected a number, as in "
            f"{name}:{EXAMPLES[field]}."
        ) from None
    return Objective(name, **{field: value})


def spelled(name: str, *, weight: float | None = None, floor: float | None = None) -> str:
    """`NAME` or `NAME:NUMBER`, which `objective_of` reads.

    Raises `SettingsError` for what is no objective, and for a number that belongs to another one.
    """
    given = {"weight": weight, "floor": floor}
    field = NUMBERS.get(name)
    Objective(name, **{key: value for key, value in given.items() if value is not None and key == field})
    for key, value in given.items():
        if value is not None and key != field:
            takes = f"a {field}" if field else "no number"
            raise SettingsError(f"The objective '{name}' has no {key}; it takes {takes}.")
    value = given.get(field or "")
    return name if value is None else f"{name}:{float(value)!r}"  # a name alone leaves the number open


def _at_least(value: Any, least: float) -> Any:
    """The larger of the two; NaN stays NaN."""
    if isinstance(value, float | int):
        return max(value, least)
    return value.clip(min=least)
