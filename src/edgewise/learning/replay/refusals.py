"""Where a log gives nothing to stand on: the reason, and how much traffic of which kind would do."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.learning.replay.estimators import coverage, effective_size
from edgewise.learning.replay.rows import CERTAIN, SEEN, UNRATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.replay.estimators import Logged
    from edgewise.learning.replay.rows import Gathered

FEWEST_EFFECTIVE = 50.0
FEWEST_TRIED = 20  # choices of the log that the policy would have made and the log's favourite was another
LEAST_COVERAGE = 0.95
LEAST_AGREEMENT = 0.99  # beyond that what it would do differently cannot move the mean by more than 1 %
ADVISED_EXPLORATION = 0.1
LEAST_RATE = 1e-4


class Footing(Struct, frozen=True):
    """What the log offers a policy to stand on.

    `effective` is the number of its own decisions that the log is worth; `coverage` the share of its wishes
    that had a chance; `agreement` how often it wants what the log's policy favoured; `tried` how many
    logged choices were its wish against the favourite; `exploration` the mean of the odds off the
    favourite; `size` of a shortlist.
    """

    rows: int
    effective: float
    coverage: float
    agreement: float
    tried: int
    exploration: float
    size: float


def footing(log: Logged) -> Footing:
    """Count it."""
    if not len(log):
        return Footing(0, 0.0, 0.0, 0.0, 0, 0.0, 0.0)
    favourite = log.odds.argmax(axis=1)
    rows = np.arange(len(log))
    wished = log.of_chosen(log.wanted) > 0.0
    return Footing(
        rows=len(log),
        effective=effective_size(log.weights),
        coverage=coverage(log),
        agreement=float(log.wanted[rows, favourite].mean()),
        tried=int((wished & (log.chosen != favourite)).sum()),
        exploration=float(1.0 - log.odds[rows, favourite].mean()),
        size=float((log.odds > 0.0).sum(axis=1).mean()),
    )


def refusal(gathered: Gathered, found: Footing, certain_agreement: float | None) -> str | None:
    """Why the log says nothing about the policy, and what would help; None where it says something.

    `certain_agreement` is how often the policy wants what was chosen where nothing was left to chance.
    """
    if gathered.decisions == 0:
        return "The log holds no decision yet."
    if found.rows == 0:
        return _nothing(gathered, certain_agreement)
    if found.coverage < LEAST_COVERAGE:
        return (
            f"{1 - found.coverage:.0%} of what the policy would choose had no chance in the log; "
            f"{_advice(_needed(found.agreement, ADVISED_EXPLORATION, found.size))}."
        )
    thin = found.effective < FEWEST_EFFECTIVE
    untried = found.agreement < LEAST_AGREEMENT and found.tried < FEWEST_TRIED
    if thin or untried:
        return (
            f"The {found.rows:,} rated decisions are worth {found.effective:.0f} of the policy's own, and in "
            f"{found.tried:,} of them the log tried what the policy would do differently (it agrees with the "
            f"log's favourite in {found.agreement:.0%}); at least {FEWEST_EFFECTIVE:.0f} and {FEWEST_TRIED} "
            f"are needed: {_enough(found)}."
        )
    return None


def _nothing(gathered: Gathered, agreement: float | None) -> str:
    seen = gathered.left_out.get(SEEN, 0)
    free = gathered.left_out.get(UNRATED, 0)
    certain = gathered.left_out.get(CERTAIN, 0)
    needed = _needed(0.5 if agreement is None else agreement, ADVISED_EXPLORATION, 2.0)
    if seen:
        return (
            f"All {seen:,} decisions that could be replayed are on prompts that the policy was trained on, "
            f"which would flatter it; about {needed:,} rated ones on other prompts would do."
        )
    if free:
        return (
            f"None of the {free:,} answers that chance had a part in was rated; send quality or thumbs to "
            f"/v1/feedback for about {needed:,} of them."
        )
    if certain:
        same = "" if agreement is None else f" (the policy would have chosen the same in {agreement:.0%})"
        return (
            f"All {certain:,} decisions with a choice were made without chance{same}, so that nothing is "
            f"known of what was not chosen; {_advice(needed)}."
        )
    reasons = ", ".join(f"{count:,}: {why}" for why, count in gathered.left_out.items())
    return (
        f"None of the {gathered.decisions:,} logged decisions can be replayed ({reasons}); {_advice(needed)}."
    )


def _enough(found: Footing) -> str:
    """How many more would do: at the log's own exploration and, where that is low, at a better one."""
    rate = min(1.0, found.exploration * found.size / max(found.size - 1.0, 1.0))
    more = max(1, _needed(found.agreement, max(rate, LEAST_RATE), found.size) - found.rows)
    today = f"about {more:,} more like them"
    if rate >= ADVISED_EXPLORATION:
        return f"{today} would do"
    return f"{today}, {_advice(_needed(found.agreement, ADVISED_EXPLORATION, found.size))}"


def _advice(needed: int) -> str:
    return (
        f"about {needed:,} rated decisions with [policy] explore = {ADVISED_EXPLORATION:g}, or "
        f"{FEWEST_EFFECTIVE:.0f} that the policy itself makes (edgewise deploy --canary), or as many rated "
        "answers of its own beside the clients' (edgewise deploy --shadow --ask), would do"
    )


def _needed(agreement: float, rate: float, size: float) -> int:
    """Decisions at an exploration of `rate` until both floors are likely to be reached.

    A wish that the log's policy shares has the odds 1 - rate + rate / size, any other rate / size.
    """
    shared, other = 1.0 - rate + rate / size, rate / size
    squares = (
        agreement / shared + (1.0 - agreement) / other
    )  # the mean of the squared weights, whose mean is 1
    needed = FEWEST_EFFECTIVE * squares
    if agreement < LEAST_AGREEMENT:
        needed = max(needed, FEWEST_TRIED / ((1.0 - agreement) * other))
    return ceil(needed)


def agreement_of(wanted: NDArray[np.float64], odds: NDArray[np.float64]) -> float | None:
    """How often (n, m) wishes fall on the favourites of (n, m) odds; None of nothing."""
    if not len(odds):
        return None
    return float(wanted[np.arange(len(odds)), odds.argmax(axis=1)].mean())
