"""Which measure of strangeness tells texts about something else, and from where on a text is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edgewise.policies.cascade.placing import Kind, OutOfScope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS: Final[tuple[Kind, ...]] = ("energy", "probability", "entropy")


def separation(within: Floats, beyond: Floats) -> float:
    """The probability that a text from beyond looks stranger than one from within (AUROC); ties are half."""
    ranked = np.sort(within)
    below = np.searchsorted(ranked, beyond, side="left") + np.searchsorted(ranked, beyond, side="right")
    return float(below.mean() / (2 * len(ranked)))


def threshold_for(within: Floats, keep: float) -> float:
    """Strangeness that a share `keep` of the texts within does not exceed."""
    ranked = np.sort(within)
    return float(ranked[min(len(ranked) - 1, max(0, int(np.ceil(keep * len(ranked))) - 1))])


def chosen_scope(
    within: Mapping[Kind, Floats], beyond: Mapping[Kind, Floats] | None, keep: float
) -> OutOfScope:
    """The measure that separates best, the first at a tie, and the threshold that keeps a share of the texts.

    Without texts from beyond it is the negative energy, which needs none to be good.
    """
    best = KINDS[0]
    if beyond is not None:
        best = max(KINDS, key=lambda kind: separation(within[kind], beyond[kind]))
    return OutOfScope(best, threshold_for(within[best], keep))
