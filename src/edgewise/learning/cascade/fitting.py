"""From held-out answers of edge and cloud to `cascade.json`: weights, threshold, scope and promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from edgewise.domain.keys import prompt_key
from edgewise.features.text import TextFeatures
from edgewise.learning.cascade.bounds import fewest_texts, upper_bound
from edgewise.learning.cascade.deferral import learned
from edgewise.learning.cascade.scope import KINDS, chosen_scope
from edgewise.learning.cascade.thresholds import Answers, ladder, most_kept, proven
from edgewise.policies.cascade.placing import FACTORS, SCHEMA, Placing, Promise, factors, strangeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewise.domain.labels import Said
    from edgewise.learning.cascade.thresholds import Outcome
    from edgewise.policies.cascade.placing import Kind, OutOfScope

    Floats = NDArray[np.float64]

FEWEST_LOST = 20  # texts on which only the cloud is right, for the weights to be learned from these
NOTHING_STAYS = -1.0  # a threshold below every risk


class Guard(Struct, frozen=True):
    """What is promised, and how much of what the edge knows may be taken for strange."""

    max_loss: Annotated[float, Meta(gt=0, lt=1)] = 0.01
    confidence: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    in_scope: Annotated[float, Meta(gt=0, le=1)] = 0.98
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """Texts that neither side was trained on: the true labels, what the edge said, and the cloud's labels."""

    texts: Sequence[str]
    labels: Sequence[str]
    edge: Sequence[Said]
    cloud: Sequence[str]

    @property
    def edge_right(self) -> NDArray[np.bool_]:
        """(n,) whether the edge is right."""
        return np.array([said.label == label for said, label in zip(self.edge, self.labels, strict=True)])

    @property
    def cloud_right(self) -> NDArray[np.bool_]:
        """(n,) whether the cloud is."""
        return np.array([said == label for said, label in zip(self.cloud, self.labels, strict=True)])

    @property
    def apart(self) -> NDArray[np.bool_]:
        """(n,) whether they say different labels."""
        return np.array([said.label != other for said, other in zip(self.edge, self.cloud, strict=True)])


def fitted(
    versions: tuple[str, str],
    chosen_by: Held,
    calibration: Held | None,
    guard: Guard,
    beyond: Sequence[Said] | None = None,
) -> Placing:
    """Learn from `chosen_by`; prove on `calibration`, or promise nothing where there is none.

    `versions` name edge and cloud. `beyond` are the edge's answers to texts that are out of its scope.
    """
    weights = learned(
        _factors(chosen_by), _target(chosen_by), [*map(prompt_key, chosen_by.texts)], guard.seed
    )
    scope = _scope(chosen_by.edge, beyond, guard.in_scope)
    edge, cloud = versions
    placing = Placing(SCHEMA, edge, cloud, weights.intercept, weights.by_name, 1.0, scope)
    before = answers(placing, chosen_by)
    if calibration is None:
        return replace(placing, threshold=_finite(most_kept(before, guard.max_loss).threshold))
    after = answers(placing, calibration)
    found = proven(after, ladder(before.risk), guard.max_loss, guard.confidence)
    promise = _promise(found, after, calibration, guard)
    return replace(placing, threshold=NOTHING_STAYS if found is None else found.threshold, promise=promise)


def answers(placing: Placing, held: Held) -> Answers:
    """How risky each answer looks, by the very code that serves; what is out of scope never stays."""
    lenient = replace(placing, threshold=1.0)
    measure = TextFeatures().measure
    judged = [lenient.judged(said, measure(text)) for said, text in zip(held.edge, held.texts, strict=True)]
    risk = np.array([found.risk if found.stands else np.inf for found in judged])
    return Answers(risk, held.edge_right, held.cloud_right)


def _factors(held: Held) -> Floats:
    """(n, len(FACTORS)) in their order."""
    measure = TextFeatures().measure
    rows = [factors(said, measure(text)) for said, text in zip(held.edge, held.texts, strict=True)]
    return np.array([[row[name] for name in FACTORS] for row in rows])


def _target(held: Held) -> Floats:
    """1 where asking the cloud would have helped; where that is too rare to learn from, where the edge erred.

    A text that nobody gets right is no reason to ask anybody.
    """
    lost = held.cloud_right & ~held.edge_right
    return (lost if int(lost.sum()) >= FEWEST_LOST else ~held.edge_right).astype(np.float64)


def _scope(within: Sequence[Said], beyond: Sequence[Said] | None, keep: float) -> OutOfScope:
    return chosen_scope(_measured(within), None if beyond is None else _measured(beyond), keep)


def _measured(said: Sequence[Said]) -> dict[Kind, Floats]:
    """Each measure of strangeness, (n,); what nothing is known of is as familiar as can be."""
    found: dict[Kind, Floats] = {}
    for kind in KINDS:
        values = [strangeness(kind, one) for one in said]
        found[kind] = np.array([-np.inf if value is None else value for value in values])
    return found


def _promise(found: Outcome | None, after: Answers, calibration: Held, guard: Guard) -> Promise:
    texts = len(calibration.texts)
    if found is None:
        return Promise(
            guard.max_loss,
            guard.confidence,
            texts,
            0.0,
            0.0,
            0.0,
            proven=False,
            sentence=_unproven(texts, guard),
        )
    apart = int((calibration.apart & (after.risk <= found.threshold)).sum())
    sentence = (
        f"With {guard.confidence:.0%} confidence the cascade loses at most {guard.max_loss:.2%} of the "
        f"accuracy against the cloud (found: {found.loss:.2%} on {texts:,} calibration texts, of which "
        f"{found.kept:.1%} stay on the edge)."
    )
    disagreement = upper_bound(apart, texts, 1.0 - guard.confidence)
    return Promise(
        guard.max_loss,
        guard.confidence,
        texts,
        found.loss,
        found.kept,
        disagreement,
        proven=True,
        sentence=sentence,
    )


def _unproven(texts: int, guard: Guard) -> str:
    promised = f"a loss of at most {guard.max_loss:.2%} with {guard.confidence:.0%} confidence"
    need = fewest_texts(guard.max_loss, guard.confidence)
    if texts < need:
        why = (
            f"{texts:,} calibration texts cannot prove {promised}, even without one error: it takes {need:,}"
        )
    else:
        why = f"on {texts:,} calibration texts even the surest answers of the edge do not prove {promised}"
    return f"Nothing is promised: {why}. Every text goes to the cloud; give more texts, or allow more loss."


def _finite(threshold: float) -> float:
    return threshold if np.isfinite(threshold) else NOTHING_STAYS
