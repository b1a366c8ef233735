"""`cascade.json`: what was learned about when an edge classifier's answer may stand, and what was promised.

`edgewise distill --max-loss` writes it beside the classifier's manifest. The risk of an answer is a logistic
function of how sure the edge is and of what the text is like; the weights are learned from held-out answers,
not guessed. A risk above the threshold goes to the cloud, and so does a text that is about something else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from edgewise.domain.decisions import Reason
from edgewise.domain.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgewise.domain.labels import Said

FILE = "cascade.json"
SCHEMA = 1
OF_THE_ANSWER = ("doubt", "rivalry", "spread", "strangeness")
OF_THE_TEXT = ("length", "syntax", "emotion", "escalation")
FACTORS = (*OF_THE_ANSWER, *OF_THE_TEXT)
SUREST = 12.0  # a log-odds beyond which nobody can tell
MOST_WORDS = 3.0  # of emotion or escalation; more of them say nothing more
LENGTH_UNIT, SYNTAX_UNIT = 200.0, 15.0  # those of the published complexity rule

Kind = Literal["energy", "probability", "entropy"]


class OutOfScope(Struct, frozen=True):
    """How strange a text may be to the edge: above `threshold` it is about none of the labels.

    `kind` is what strangeness is: the negative energy (Liu et al., "Energy-based out-of-distribution
    detection", NeurIPS 2020; what a bundle gives as `Said.out_of_scope`), one less the largest probability
    (Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution examples", ICLR
    2017), or the entropy of the probabilities.
    """

    kind: Kind
    threshold: float

    def strangeness(self, said: Said) -> float | None:
        """Higher for stranger texts; what `threshold` is compared with. None where the edge has no logits."""
        return strangeness(self.kind, said)


class Promise(Struct, frozen=True):
    """What holds of the cascade, and how that is known.

    With `confidence`, at most `max_loss` of the accuracy is lost against the cloud, over all texts like the
    `texts` that it was calibrated on. `proven` says whether that could be shown; `sentence` says it, or why
    not. `loss` and `kept` (the share that stays on the edge) were found on those texts; `disagreement` is a
    bound, at the same confidence, on the share of all texts that stay although the cloud would say otherwise.
    """

    max_loss: Annotated[float, Meta(gt=0, lt=1)]
    confidence: Annotated[float, Meta(gt=0, lt=1)]
    texts: Annotated[int, Meta(ge=0)]
    loss: Annotated[float, Meta(ge=-1, le=1)]
    kept: Annotated[float, Meta(ge=0, le=1)]
    disagreement: Annotated[float, Meta(ge=0, le=1)]
    proven: bool
    sentence: str

    def __post_init__(self) -> None:
        if not self.proven:
            return
        # Without one error, an exact test of fewer texts cannot reach that confidence.
        if (
            self.texts < math.log1p(-self.confidence) / math.log1p(-self.max_loss)
            or self.loss > self.max_loss
        ):
            raise ValueError(
                f"the promise says that it is proven, which {self.texts:,} texts with a loss of "
                f"{self.loss:.2%} cannot do"
            )


class Judged(Struct, frozen=True):
    """Whether an edge answer may stand, why, and the numbers behind it."""

    stands: bool
    reason: Reason
    risk: float
    evidence: dict[str, float]


class Placing(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file: the version of the classifier it was fitted to, what that was compared with, and how.

    The risk is `1 / (1 + exp(-(intercept + Σ weights · factors)))`: how likely the edge is wrong.
    """

    schema: int
    edge: str
    cloud: str
    intercept: float
    weights: dict[str, float]
    threshold: float
    out_of_scope: OutOfScope | None = None
    promise: Promise | None = None

    def __post_init__(self) -> None:
        if strange := sorted(self.weights.keys() - set(FACTORS)):
            raise ValueError(f"weights names {strange[0]!r}; the factors are {', '.join(FACTORS)}")

    def judged(self, said: Said, named: Mapping[str, float]) -> Judged:
        """Let the answer stand, or not. `named` is what `TextFeatures.measure` finds in the text.

        The reason of an escalation is `out_of_scope`, `low_confidence`, or `high_complexity` where it is the
        text that weighs, not the doubt.
        """
        found = factors(said, named)
        weighed = {name: weight * found[name] for name, weight in self.weights.items()}
        risk = sigmoid(self.intercept + sum(weighed.values()))
        evidence = {**found, "risk": risk, "threshold": self.threshold}
        scope = self.out_of_scope
        if scope is not None and (strange := scope.strangeness(said)) is not None:
            evidence["out_of_scope"] = strange
            if strange > scope.threshold:
                return Judged(stands=False, reason="out_of_scope", risk=risk, evidence=evidence)
        if not risk <= self.threshold:  # nor where weights beyond all measure make it no number
            text = sum(max(weighed.get(name, 0.0), 0.0) for name in OF_THE_TEXT)
            answer = sum(max(weighed.get(name, 0.0), 0.0) for name in OF_THE_ANSWER)
            reason: Reason = "high_complexity" if text > answer else "low_confidence"
            return Judged(stands=False, reason=reason, risk=risk, evidence=evidence)
        return Judged(stands=True, reason="optimal_edge", risk=risk, evidence=evidence)


def factors(said: Said, named: Mapping[str, float]) -> dict[str, float]:
    """Each factor by name: doubt, rivalry, spread and strangeness of the answer, and what the text is like.

    `doubt` is the log-odds of being wrong, `rivalry` that of the second label against the first, `spread` the
    entropy as a share of the greatest possible, `strangeness` the negative energy (0 without logits). Who
    gives no probabilities might be right or wrong.
    """
    ranked = sorted(said.probabilities.values(), reverse=True) or [0.5]
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else 0.0
    return {
        "doubt": _log_ratio(1.0 - first, first),
        "rivalry": _log_ratio(second, first),
        "spread": entropy(said.probabilities) / math.log(max(len(ranked), 2)),
        "strangeness": said.out_of_scope or 0.0,
        "length": min(named["characters"] / LENGTH_UNIT, 1.0),
        "syntax": min(named["words_per_sentence"] / SYNTAX_UNIT, 1.0),
        "emotion": min(named["emotion_words"] / MOST_WORDS, 1.0),
        "escalation": min(named["escalation_words"] / MOST_WORDS, 1.0),
    }


def strangeness(kind: Kind, said: Said) -> float | None:
    """How strange a text is to the edge by one measure; None where the edge gives nothing to tell by."""
    if kind == "energy":
        return said.out_of_scope
    if not said.probabilities:
        return None
    return entropy(said.probabilities) if kind == "entropy" else 1.0 - max(said.probabilities.values())


def entropy(probabilities: Mapping[str, float]) -> float:
    """Of a distribution over labels, in nats."""
    return -sum(p * math.log(p) for p in probabilities.values() if p > 0.0)


def sigmoid(value: float) -> float:
    """The logistic function, without overflow."""
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    raised = math.exp(value)
    return raised / (1.0 + raised)


def read_placing(folder: Path, edge: str) -> Placing | None:
    """What was learned for the classifier in a folder; None where nothing was.

    `edge` is the classifier's version. Raises `BundleError` for a damaged file, and for one that was fitted
    to another classifier.
    """
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Placing)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}).") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}; distill anew with --max-loss.") from error
    if found.schema != SCHEMA:
        raise BundleError(f"{path} has schema {found.schema}, this Edgewise reads {SCHEMA}; distill it anew.")
    if found.edge != edge:
        raise BundleError(
            f"{path} was fitted to classifier {found.edge}, and {folder.name} holds {edge}; distill it anew."
        )
    return found


def _log_ratio(part: float, whole: float) -> float:
    """A ratio's logarithm within what can be told."""
    if part <= 0.0:
        return -SUREST
    if whole <= 0.0:
        return SUREST
    return min(max(math.log(part / whole), -SUREST), SUREST)
