"""The complexity rule: easy prompts stay at the edge, hard or heated ones go to the cloud.

The five factors, their weights and the threshold are those of a published hybrid support system (text
length, sentence structure, emotional words, escalation words, the model's confidence). Two things differ.
Words count only as wholes ("management" holds no "manager"). And the confidence is optional: asking the
cloud first, to see how sure it is, would cost what the edge should save, so until an edge model says how
sure it is, the other weights are scaled up to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from edgewise.domain.decisions import TOLERANCE, Odds, Reason
from edgewise.domain.errors import SettingsError
from edgewise.policies.ranges import positive, share, weight

if TYPE_CHECKING:
    from edgewise.domain.candidates import Shortlist
    from edgewise.domain.requests import Features, Situation


class Complexity(Struct, frozen=True, kw_only=True):
    """A score from 0 to 1; above `threshold` the first cloud candidate, otherwise the first edge one.

    Each factor is 0 to 1: the prompt's characters over `length_characters`, its words a sentence over
    `sentence_words`, its emotional and escalation words over `keyword_matches` (each capped at 1), and,
    where the features hold a `confidence` c, the uncertainty 1 - |2c - 1|. The score is their mean under
    the four weights. What soft constraints hold against the edge is added to it, what they hold against
    the cloud is taken off. Raises ValueError for an option out of range.
    """

    threshold: float = 0.75
    length_weight: float = 0.3
    syntax_weight: float = 0.3
    emotion_weight: float = 0.2
    uncertainty_weight: float = 0.2
    length_characters: float = 200.0
    sentence_words: float = 15.0
    keyword_matches: float = 3.0

    def __post_init__(self) -> None:
        share("threshold", self.threshold)
        for name in ("length_weight", "syntax_weight", "emotion_weight", "uncertainty_weight"):
            weight(name, getattr(self, name))
        for name in ("length_characters", "sentence_words", "keyword_matches"):
            positive(name, getattr(self, name))
        if not self.length_weight + self.syntax_weight + self.emotion_weight > 0.0:
            raise ValueError(
                "length_weight, syntax_weight and emotion_weight are all 0; expected one above 0"
            )

    @property
    def name(self) -> str:
        """What the log calls it."""
        return "complexity"

    def odds(self, situation: Situation) -> Odds:
        """All the weight on one candidate; the evidence holds every factor, the score and the threshold."""
        evidence = self.score(situation.features)
        wanted: Literal["edge", "cloud"] = "edge"
        reason: Reason = "optimal_edge"
        shortlist = situation.shortlist
        score = evidence["score"]
        if shortlist.penalties:
            score += evidence.setdefault("penalties", _lean(shortlist))
        if score > self.threshold + TOLERANCE:  # a tie that rounding breaks is still a tie
            wanted, reason = "cloud", "high_complexity"
        choice = shortlist.at(wanted)
        if choice is None:
            choice, reason = shortlist.candidates[0], "only_candidate"
        return Odds.certain(choice, shortlist, reason=reason, evidence=evidence)

    def score(self, features: Features) -> dict[str, float]:
        """The factors, the `score` and the `threshold` by name.

        Raises SettingsError where the features are not those of `TextFeatures`.
        """
        named = features.named
        try:
            length = min(named["characters"] / self.length_characters, 1.0)
            syntax = min(named["words_per_sentence"] / self.sentence_words, 1.0)
            words = named["emotion_words"] + named["escalation_words"]
        except KeyError as missing:
            raise SettingsError(
                f"The policy 'complexity' needs the text features, and {missing} is not among those of "
                f"'{features.version}'."
            ) from None
        emotion = min(words / self.keyword_matches, 1.0)
        evidence = {"length": length, "syntax": syntax, "emotion": emotion}
        score = self.length_weight * length + self.syntax_weight * syntax + self.emotion_weight * emotion
        total = self.length_weight + self.syntax_weight + self.emotion_weight
        confidence = named.get("confidence")
        if confidence is not None:
            uncertainty = evidence["uncertainty"] = 1.0 - abs(2.0 * confidence - 1.0)
            score += self.uncertainty_weight * uncertainty
            total += self.uncertainty_weight
        evidence["score"] = score / total
        evidence["threshold"] = self.threshold
        return evidence


def _lean(shortlist: Shortlist) -> float:
    """How much more soft constraints hold against the edge than against the cloud."""
    edge, cloud = shortlist.at("edge"), shortlist.at("cloud")
    if edge is None or cloud is None:
        return 0.0
    return shortlist.penalty(edge) - shortlist.penalty(cloud)
