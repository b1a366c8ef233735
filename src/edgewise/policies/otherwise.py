"""A wrapper for policies whose features may fail to come: another policy decides then, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.errors import BundleError
from edgewise.domain.protocols import Policy
from edgewise.policies.holding import reading
from edgewise.policies.lots import features_of

if TYPE_CHECKING:
    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation

MARK = "no_vector_"  # in a decision's evidence: 1 where the fallback decided; the reason follows


class Otherwise(Struct, frozen=True):
    """Follow `inner`; where a request has no vector, follow `fallback`, which needs none.

    The evidence then holds `no_vector_private`, `no_vector_late`, `no_vector_failed` or `no_vector_pinned`.
    """

    inner: Policy
    fallback: Policy

    @property
    def name(self) -> str:
        """What the log calls it: `otherwise(bundle:1a2b, complexity)`."""
        return f"otherwise({self.inner.name}, {self.fallback.name})"

    @property
    def features(self) -> str | None:
        """The version of the features that `inner` reads."""
        return features_of(self.inner)

    def odds(self, situation: Situation) -> Odds:
        """The odds of the one that can tell.

        Raises `BundleError` where the vectors are not those that `inner` was trained on: that is a mistake in
        the configuration, which no fallback should hide.
        """
        absent = situation.features.absent
        if absent is None:
            return self.inner.odds(situation)
        if absent.why == "mismatch":
            raise BundleError(absent.sentence)
        odds = self.fallback.odds(situation)
        return replace(odds, evidence={**odds.evidence, MARK + absent.why: 1.0})

    def forecast(self, situation: Situation, answer: FirstAnswer) -> Odds:
        """The odds once an answer is known, of the one that can tell."""
        if situation.features.absent is None and reading(self.inner):
            return self.inner.forecast(situation, answer)
        return self.odds(situation)
