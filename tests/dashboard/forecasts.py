"""A log with forecasts in it, as a learned policy would have left it: what a frontier is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tests.cli.stored import fill

from edgewise.domain.decisions import Attempt, Decision, Estimate, Feedback, Forecast, Outcome, Record
from edgewise.domain.ids import mint

NAMES = ("phi", "mini", "grand")
COSTS = (0.0, 0.0004, 0.006)
LATENCY = (0.4, 0.9, 2.1)
EXPLORE = 0.25


def write(
    path: Path,
    now: float,
    *,
    decisions: int = 800,
    rated: float = 0.6,
    seed: int = 0,
    prompts: Sequence[str] = (),
    worse: float = 0.0,
) -> None:
    """So many decisions over the day before `now`, with explored choices, some of them rated.

    In the second half of them the second candidate's answers to prompts with code lose `worse` of quality.
    """
    dice, records = np.random.default_rng(seed), list[Record]()
    for at in range(decisions):
        hard = float(dice.random())
        truth = (1.0 - 0.9 * hard, 0.9 - 0.35 * hard, 0.93 - 0.08 * hard)
        when = now - 86_400 * (1 - at / decisions)
        prompt = prompts[at % len(prompts)] if prompts else f"Question number {at}"
        lost = worse if 2 * at > decisions and "def " in prompt else 0.0
        records += _story(prompt, when, truth, dice, rated, lost)
    fill(path, *records)


def _story(
    prompt: str, when: float, truth: tuple[float, ...], dice: np.random.Generator, rated: float, lost: float
) -> list[Record]:
    forecasts = {
        name: Forecast(
            quality=_around(truth[i] + float(dice.normal(0, 0.05)), 0.15),
            latency_s=Estimate(LATENCY[i], LATENCY[i] / 1.4, LATENCY[i] * 1.4),
            cost_usd=_around(COSTS[i], COSTS[i] / 4),
        )
        for i, name in enumerate(NAMES)
    }
    worth = [truth[i] - 40.0 * COSTS[i] for i in range(len(NAMES))]
    favourite = max(range(len(NAMES)), key=worth.__getitem__)
    odds = [EXPLORE / 3 + (1 - EXPLORE) * (i == favourite) for i in range(len(NAMES))]
    drawn = int(dice.choice(len(NAMES), p=odds))
    name, made = NAMES[drawn], mint()
    decision = Decision(
        id=made, at=when, chosen=name, location="cloud" if drawn else "edge", policy="learned",
        reason="best_utility" if drawn == favourite else "explored", propensity=odds[drawn],
        odds=dict(zip(NAMES, odds, strict=True)), shortlist=NAMES, forecasts=forecasts,
        prompt=prompt, micros=40.0,
    )  # fmt: skip
    cost, took = COSTS[drawn], LATENCY[drawn] * float(dice.lognormal(0, 0.2))
    attempt = Attempt(
        candidate=name, status="ok", started_s=0.0, latency_s=took, cost_usd=cost, cost_state="billed"
    )
    outcome = Outcome(
        decision_id=made, at=when + took, status="ok", candidate=name, latency_s=took, input_tokens=20,
        output_tokens=30, cost_usd=cost, cost_state="billed", attempts=(attempt,), response="An answer.",
    )  # fmt: skip
    if dice.random() >= rated:
        return [decision, outcome]
    right = float(dice.random() < truth[drawn] - (lost if drawn == 1 else 0.0))
    return [decision, outcome, Feedback(id=f"fb_{made}", decision_id=made, at=when + 60, quality=right)]


def _around(mean: float, half: float) -> Estimate:
    return Estimate(mean, mean - half, mean + half)
