"""How much better another candidate must be forecast before the best single one is left for it.

A learned router that is no better than a well-chosen constant should be that constant. The margin is chosen
on held-out forecasts by what choices realised; where the gain over the constant is within its own noise, the
constant is chosen. The order of prompts by forecast gain stays as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable

    Doubles = NDArray[np.float64]

STEPS = 41
SURE = 1.0  # standard errors that the gain over the constant must exceed


def caution(table: OutcomeTable, held: Doubles, truth: Doubles) -> tuple[NDArray[np.float32], list[str]]:
    """(c,) what is added to the best single candidate's utility; and what that means in words.

    `held` and `truth` are (n, c); only prompts on which everybody was measured can tell.
    """
    none = np.zeros(truth.shape[1], np.float32)
    rows = ~(np.isnan(held) | np.isnan(truth)).any(axis=1)
    if rows.sum() < STEPS or table.is_bandit:
        return none, []
    said, was = held[rows], truth[rows]
    best = int(was.mean(axis=0).argmax())
    lead = np.delete(said, best, axis=1).max(axis=1) - said[:, best]
    leads = lead[lead > 0]
    steps = np.quantile(leads, np.linspace(0, 1, STEPS)) if len(leads) else leads
    margins = np.concatenate([[0.0], steps])
    gains = [_gain(said, was, best, float(margin)) for margin in margins]
    means = np.array([gain.mean() for gain in gains])
    pick = int(means.argmax())
    error = float(gains[pick].std()) / len(was) ** 0.5
    if means[pick] <= SURE * error:
        margin = float(max(lead.max(), 0.0)) * 2.0 + 1e-6
        name = table.candidates[best]
        said_so = f"On held-out prompts nothing beats always {name} beyond doubt: it is always chosen."
    else:
        margin = float(margins[pick])
        name = table.candidates[best]
        more = f"better by more than {margin:.3g}" if margin else "better"
        said_so = f"{name}, the best single one, is chosen unless another is forecast to be {more}."
    none[best] = margin
    return none, [said_so]


def _gain(said: Doubles, was: Doubles, best: int, margin: float) -> Doubles:
    """What each prompt's choice realised beyond the best single candidate."""
    moved = said.copy()
    moved[:, best] += margin
    rows = np.arange(len(was))
    gain: Doubles = was[rows, moved.argmax(axis=1)] - was[:, best]
    return gain
