"""A share or a budget for the cloud, as a policy sees it: how much better the cloud must be forecast to be.

`Target` is what was asked for, `Steer` the threshold that keeps to it for now. Thresholds are found again and
again while the stream goes on (`edgewise.learning.steer`); the policy that holds one never changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.protocols import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

GAIN = "cloud_gain"  # in a decision's evidence: what the best cloud promised over the best edge
BONUS = "cloud_bonus"  # what was added to that
LEVEL = "cloud_level"  # the share of recent prompts that this bonus would have sent to the cloud
GOAL = "cloud_goal"  # the share, or the USD per 1,000 requests, that is aimed at


class Target(Struct, frozen=True):
    """`cloud_share`: what may go to the cloud (0-1); `usd_per_1k`: USD per 1,000 prompts. One at most."""

    cloud_share: float | None = None
    usd_per_1k: float | None = None

    @property
    def goal(self) -> float | None:
        """The number that is aimed at, or None where nothing is."""
        return self.cloud_share if self.cloud_share is not None else self.usd_per_1k


class Steer(Struct, frozen=True):
    """`bonus` is added to what the cloud promises; `level` and `goal` say how it came about."""

    bonus: float
    level: float
    goal: float

    def evidence(self, gain: float) -> dict[str, float]:
        """What the decision's record says of it, so that the stream can be followed from the log alone."""
        return {GAIN: gain, BONUS: self.bonus, LEVEL: self.level, GOAL: self.goal}


class Start(Struct, frozen=True):
    """What a policy is to keep to, and what is known before the first request.

    `gains` are those of training prompts, `usd` is what an answer of the cloud costs, `bonus` the threshold
    that training found.
    """

    target: Target
    gains: tuple[float, ...] = ()
    usd: float | None = None
    bonus: float = 0.0


class Steerable(Policy, Protocol):
    """A trained policy: it can lean towards the cloud, or away from it, and judge by another objective."""

    @property
    def start(self) -> Start | None:
        """What it is to keep to; None where it has no target."""
        ...

    def steered(self, steer: Steer | None) -> Policy:
        """The same policy with that threshold."""
        ...

    def configured(self, objective: str | None, target: Target | None) -> Steerable:
        """The same policy with another objective, spelled as requests do, and another target."""
        ...


def steerable(policy: object) -> TypeGuard[Steerable]:
    """Whether the policy takes a `Steer`."""
    return callable(getattr(policy, "steered", None))


def rewrapped(
    policy: Policy, change: Callable[[Policy, tuple[str, ...]], Policy], path: tuple[str, ...] = ()
) -> Policy:
    """The policy with each innermost one changed, and every wrapper around it as it was.

    Wrappers are records with policies among their fields; `change` is told the names of the fields that led
    to the policy, such as `("inner", "newcomer")`.
    """
    parts: dict[str, Any] = {}
    for name in policy.__struct_fields__ if isinstance(policy, Struct) else ():
        part: Any = getattr(policy, name)
        if callable(getattr(part, "odds", None)):
            parts[name] = rewrapped(part, change, (*path, name))
    if not parts:
        return change(policy, path)
    wrapped: Any = replace(policy, **parts)  # type: ignore[type-var]  # parts come only from a record
    return wrapped  # type: ignore[no-any-return]
