"""The edge answers first; what it said decides whether the cloud is asked as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.decisions import TOLERANCE, Forecast, Odds, Reason, Shadow
from edgewise.domain.protocols import Policy
from edgewise.policies.cascade.placing import Placing
from edgewise.policies.cascade.rules import Escalation
from edgewise.policies.complexity import Complexity
from edgewise.policies.holding import FIRM, reading
from edgewise.policies.lots import features_of, lot
from edgewise.policies.ranges import positive, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.labels import Said
    from edgewise.domain.requests import Features, Situation

HOLD_S = 30.0
CONFIDENCE = 0.8  # of a classifier of which nothing was learned
RULE = "rule:"  # in the evidence, before the name of the rule that escalated
ESCALATED = "escalated"  # in the evidence: 1 where the cloud is wanted, 0 where the answer may stand
WATCHED = "watched"  # in the evidence: 1 where this text shows whether the promise still holds
SHARE_WATCHED = 0.02
TOOK = "edge_s"  # in the evidence: seconds until the edge's answer was there


class Verdict(Struct, frozen=True):
    """Whether an answer may stand, why, and what is known beside that."""

    stands: bool
    reason: Reason
    evidence: dict[str, float]
    forecasts: dict[str, Forecast] = {}


class Cascade(Struct, frozen=True):
    """Ask the edge; let its answer stand, or ask the cloud as well. Never the cloud first.

    The first of these that says something decides: one of the `rules`; for a classifier's answer what was
    learned of it (`placings`, by candidate), or its confidence and the prompt's complexity; for words
    whatever `inner` makes of them. `confidence`, where it stands, is the least that an answer must have: of
    a classifier's calibrated probability, or of the quality that `inner` forecasts of the words. Where a
    promise was proven of a classifier, a share `watched` of its labels that stand is asked of the cloud, too,
    as a shadow.

    An answer is held back for `hold_s` seconds at most. Raises ValueError for a number out of range.
    """

    inner: Policy = Complexity()
    rules: tuple[Escalation, ...] = ()
    placings: dict[str, Placing] = {}
    confidence: float | None = None
    hold_s: float = HOLD_S
    watched: float = SHARE_WATCHED

    def __post_init__(self) -> None:
        if self.confidence is not None:
            share("confidence", self.confidence)
        positive("hold_s", self.hold_s)
        share("watched", self.watched)

    @property
    def name(self) -> str:
        """What the log calls it: `cascade(bundle:1a2b)`."""
        return f"cascade({self.inner.name})"

    @property
    def features(self) -> str | None:
        """The version of the features that the inner policy reads, if it does."""
        return features_of(self.inner)

    def odds(self, situation: Situation) -> Odds:
        """Who is asked first: the edge, of several the one that `inner` thinks most of."""
        shortlist = situation.shortlist
        edge = shortlist.at("edge")
        if edge is None:
            return self.inner.odds(situation)
        edges = [c for c in shortlist if c.location == "edge"]
        if self._is_blind(situation) or (self.features is None and len(edges) == 1):
            return Odds.certain(edge, shortlist, reason="optimal_edge")
        odds = self.inner.odds(situation)
        if len(edges) > 1:
            edge = max(edges, key=lambda c: (_worth(odds.forecasts, situation, c), c is edge))
        by_id = {c.id: 1.0 if c is edge else 0.0 for c in shortlist}
        return Odds(by_id, "optimal_edge", odds.forecasts, odds.evidence)

    def forecast(self, situation: Situation, answer: FirstAnswer) -> Odds:
        """Who answers after all, once this is known: the one who has, or the best cloud of the shortlist."""
        shortlist = situation.shortlist
        first = next(c for c in shortlist if c.id == answer.candidate)
        clouds = [c for c in shortlist if c.location == "cloud" and c is not first]
        if not clouds:
            return Odds.certain(first, shortlist, reason="optimal_edge")
        verdict = self._verdict(situation, answer)
        if self._is_watched(situation, answer):
            verdict = replace(verdict, evidence={**verdict.evidence, WATCHED: 1.0})
        told = verdict.forecasts
        choice = first if verdict.stands else max(clouds, key=lambda c: _worth(told, situation, c))
        by_id = {c.id: 1.0 if c is choice else 0.0 for c in shortlist}
        evidence = {**verdict.evidence, ESCALATED: float(not verdict.stands), TOOK: answer.took_s}
        shadow = None
        if verdict.stands and WATCHED in evidence:
            shadow = Shadow(self.name, clouds[0].id, {clouds[0].id: 1.0}, ask=True)
        return Odds(by_id, verdict.reason, verdict.forecasts, evidence, shadow=shadow)

    def _verdict(self, situation: Situation, answer: FirstAnswer) -> Verdict:
        label = None if answer.said is None else answer.said.label
        for rule in self.rules:
            if rule.applies(answer.prompt, label, answer.metadata):
                evidence = {RULE + rule.name: 1.0, FIRM: 1.0}
                return Verdict(stands=False, reason="high_complexity", evidence=evidence)
        if answer.said is not None:
            return self._labelled(situation, answer.candidate, answer.said)
        return self._worded(situation, answer)

    def _is_watched(self, situation: Situation, answer: FirstAnswer) -> bool:
        """Whether the lot falls on this text to show if a promise holds, whoever answers it."""
        placing = self.placings.get(answer.candidate)
        promise = None if placing is None or self.confidence is not None else placing.promise
        if answer.said is None or promise is None or not promise.proven:
            return False
        return lot(WATCHED, situation.sticky) < self.watched

    def _labelled(self, situation: Situation, candidate: str, said: Said) -> Verdict:
        """Of a label: what was learned of that classifier, or the published score with its confidence."""
        named = situation.features.named
        placing = self.placings.get(candidate)
        if placing is not None and self.confidence is None:
            judged = placing.judged(said, named)
            firm = {FIRM: 1.0} if placing.promise is not None and placing.promise.proven else {}
            return Verdict(judged.stands, judged.reason, {**judged.evidence, **firm})
        sure, least = said.confidence, CONFIDENCE if self.confidence is None else self.confidence
        known = {} if sure is None else {"confidence": sure}
        if sure is not None and sure < least:
            return Verdict(stands=False, reason="low_confidence", evidence={**known, "least": least})
        rule = self.inner if isinstance(self.inner, Complexity) else Complexity()
        evidence = {**known, **rule.score(_with(situation, known))}
        if evidence["score"] > evidence["threshold"] + TOLERANCE:
            return Verdict(stands=False, reason="high_complexity", evidence=evidence)
        return Verdict(stands=True, reason="optimal_edge", evidence=evidence)

    def _worded(self, situation: Situation, answer: FirstAnswer) -> Verdict:
        """Of words: what is forecast once they were read; where there are none, what is of the prompt."""
        inner = self.inner
        if self._is_blind(situation):
            return Verdict(stands=True, reason="optimal_edge", evidence={"unread": 1.0})
        odds = inner.forecast(situation, answer) if reading(inner) and answer.text else inner.odds(situation)
        mine = odds.forecasts.get(answer.candidate)
        evidence = dict(odds.evidence)
        if mine is not None and mine.quality is not None:
            evidence["quality"] = mine.quality.mean
        reason: Reason = "low_confidence"
        if self.confidence is not None and "quality" in evidence and "answer_read" in evidence:
            evidence["least"] = self.confidence
            stands = evidence["quality"] >= self.confidence
        else:
            stands = not _at_cloud(odds, situation)
            before = odds if stands else inner.odds(situation)
            if _at_cloud(before, situation) and not _fell(before, odds, answer.candidate):
                reason = "high_complexity"
        if odds.evidence.get("far_from_training"):
            reason = "out_of_scope"
        return Verdict(stands, "optimal_edge" if stands else reason, evidence, odds.forecasts)

    def _is_blind(self, situation: Situation) -> bool:
        """Whether a text to be labelled was described without the vector that only chat needs."""
        features = situation.features
        return features.vector is None and features.absent is None and self.features is not None


def _at_cloud(odds: Odds, situation: Situation) -> bool:
    """Whether the odds favour somebody in the cloud."""
    favourite = odds.favourite
    return any(c.id == favourite and c.location == "cloud" for c in situation.shortlist)


def _fell(before: Odds, after: Odds, candidate: str) -> bool:
    """Whether an answer turned out to be worth less than was forecast of it."""
    was, now = before.forecasts.get(candidate), after.forecasts.get(candidate)
    if was is None or now is None or was.utility is None or now.utility is None:
        return False
    return now.utility.mean < was.utility.mean


def _worth(forecasts: Mapping[str, Forecast], situation: Situation, candidate: Candidate) -> float:
    """What is forecast of a candidate, less what soft constraints hold against it."""
    forecast = forecasts.get(candidate.id)
    penalty = situation.shortlist.penalty(candidate)
    return (0.0 if forecast is None or forecast.utility is None else forecast.utility.mean) - penalty


def _with(situation: Situation, more: dict[str, float]) -> Features:
    """The features with more numbers among those that have a name."""
    features = situation.features
    return replace(features, named={**features.named, **more})
