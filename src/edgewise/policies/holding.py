"""The second method of a policy that can read an answer, and which policies hold an answer back for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard

from edgewise.domain.protocols import Policy

if TYPE_CHECKING:
    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation

FIRM = "firm"  # in the evidence of odds that exploration leaves alone: a rule or a promise speaks


class Reading(Policy, Protocol):
    """A policy that can read the answer of the candidate that was asked first."""

    def forecast(self, situation: Situation, answer: FirstAnswer) -> Odds:
        """The odds now that this answer is known; its candidate is on the shortlist."""
        ...


class Holding(Reading, Protocol):
    """A policy that asks the edge first, and the cloud only once it has read the edge's answer.

    `hold_s` is how long a client waits for both at most, in seconds; then the edge's answer goes out.
    """

    @property
    def hold_s(self) -> float | None:
        """Seconds; None where nothing is held back."""
        ...


def reading(policy: object) -> TypeGuard[Reading]:
    """Whether the policy can read an answer."""
    return callable(getattr(policy, "forecast", None))


def holding(policy: object) -> TypeGuard[Holding]:
    """Whether answers are to be held back for this policy."""
    return getattr(policy, "hold_s", None) is not None and reading(policy)
