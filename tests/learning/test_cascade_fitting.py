"""From held-out answers to `cascade.json`: weights, scope, threshold and promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgewise.domain.labels import Said
from edgewise.learning.cascade.deferral import learned
from edgewise.learning.cascade.fitting import Guard, Held, answers, fitted
from edgewise.learning.cascade.scope import chosen_scope, separation, threshold_for
from edgewise.policies.cascade.placing import FACTORS

DOUBT, LENGTH = FACTORS.index("doubt"), FACTORS.index("length")


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.random.Generator]:
    dice = np.random.default_rng(seed)
    found = dice.normal(size=(count, len(FACTORS)))
    found[:, FACTORS.index("emotion")] = 0.0  # a factor that never varies
    return found, dice


def keys(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_the_weights_are_those_that_made_the_errors() -> None:
    factors, dice = rows(6_000)
    true = -1.0 + 1.5 * factors[:, DOUBT] + 0.8 * factors[:, LENGTH]
    wrong = (dice.random(6_000) < 1 / (1 + np.exp(-true))).astype(float)
    found = learned(factors, wrong, keys(6_000))
    assert found.by_name["doubt"] == pytest.approx(1.5, abs=0.15)
    assert found.by_name["length"] == pytest.approx(0.8, abs=0.12)
    assert found.by_name["syntax"] == pytest.approx(0.0, abs=0.1)
    assert found.intercept == pytest.approx(-1.0, abs=0.12)
    assert "emotion" not in found.by_name


def test_with_few_errors_the_doubt_alone_is_used() -> None:
    factors, dice = rows(300, seed=4)
    wrong = (dice.random(300) < 1 / (1 + np.exp(3.0 - 2.0 * factors[:, DOUBT]))).astype(float)
    assert set(learned(factors, wrong, keys(300)).by_name) == {"doubt"}


def test_a_text_that_is_said_many_times_weighs_once() -> None:
    factors, dice = rows(400, seed=1)
    wrong = (dice.random(400) < 1 / (1 + np.exp(-factors[:, DOUBT]))).astype(float)
    once = learned(factors, wrong, keys(400))
    again = [*range(400), *[7] * 50]
    many = learned(factors[again], wrong[again], [str(row) for row in again])
    assert many.by_name["doubt"] == pytest.approx(once.by_name["doubt"], rel=0.05)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_without_errors_or_without_hits_the_doubt_is_taken_as_it_stands(share: float) -> None:
    factors, _ = rows(50)
    assert learned(factors, np.full(50, share), keys(50)).by_name == {"doubt": 1.0}


def test_separation_is_the_chance_to_look_stranger() -> None:
    assert separation(np.array([1.0, 2.0]), np.array([3.0])) == 1.0
    assert separation(np.array([1.0, 3.0]), np.array([2.0])) == 0.5
    assert separation(np.array([1.0]), np.array([1.0])) == 0.5


def test_the_threshold_keeps_what_it_says() -> None:
    within = np.arange(100.0)
    assert (within <= threshold_for(within, 0.9)).sum() == 90
    assert (within <= threshold_for(within, 1.0)).sum() == 100


def test_the_measure_that_separates_best_is_chosen() -> None:
    within = {"energy": np.array([1.0, 2.0]), "probability": np.array([0.1, 0.2]), "entropy": np.zeros(2)}
    beyond = {"energy": np.array([1.5]), "probability": np.array([0.9]), "entropy": np.zeros(1)}
    assert chosen_scope(within, beyond, 1.0).kind == "probability"  # type: ignore[arg-type]
    assert chosen_scope(within, None, 1.0).kind == "energy"  # type: ignore[arg-type]


def held(count: int, seed: int, *, errors: float = 0.1) -> Held:
    """An edge that doubts itself where it errs, and a cloud that errs on one text in fifty."""
    dice = np.random.default_rng(seed)
    texts = [f"text {seed} {number}" for number in range(count)]
    said: list[Said] = []
    cloud: list[str] = []
    for _ in range(count):
        wrong = dice.random() < errors
        sure = float(np.clip(dice.normal(0.55 if wrong else 0.9, 0.08), 0.35, 0.995))
        label = "b" if wrong else "a"
        other = "a" if wrong else "b"
        said.append(Said(label, {label: sure, other: 1 - sure}, float(dice.normal(-8.0, 0.5))))
        cloud.append("b" if dice.random() < 0.02 else "a")
    return Held(texts, ["a"] * count, said, cloud)


GUARD = Guard(max_loss=0.02)


def test_a_promise_is_made_where_it_can_be_kept() -> None:
    chosen_by, calibration = held(800, 1), held(1_500, 2)
    placing = fitted(("edge", "cloud"), chosen_by, calibration, GUARD)
    promise = placing.promise
    assert promise is not None
    assert promise.proven
    assert promise.kept > 0.8
    assert promise.texts == 1_500
    assert promise.sentence.startswith("With 95% confidence the cascade loses at most 2.00% of the accuracy")
    new = answers(placing, held(20_000, 3)).outcome(placing.threshold)
    assert new.loss <= 0.02
    assert new.kept == pytest.approx(promise.kept, abs=0.04)
    assert promise.disagreement > 0.0
    stands = [
        placing.judged(
            said,
            {"characters": 10.0, "words_per_sentence": 3.0, "emotion_words": 0.0, "escalation_words": 0.0},
        )
        for said in calibration.edge
    ]
    assert sum(one.stands for one in stands) / 1_500 == pytest.approx(promise.kept, abs=0.02)


def test_what_cannot_be_proven_is_said_and_nothing_stays() -> None:
    placing = fitted(("edge", "cloud"), held(800, 1), held(100, 2), Guard(max_loss=0.01))
    promise = placing.promise
    assert promise is not None
    assert not promise.proven
    assert "100 calibration texts cannot prove" in promise.sentence
    assert "it takes 321" in promise.sentence
    assert answers(placing, held(500, 3)).outcome(placing.threshold).kept == 0.0
    hopeless = fitted(("edge", "cloud"), held(400, 1), turned(held(600, 2, errors=0.9)), GUARD)
    assert hopeless.promise is not None
    assert "even the surest answers" in hopeless.promise.sentence


def turned(found: Held) -> Held:
    """The same, as sure of errors as of anything."""
    sure: Sequence[Said] = [Said(one.label, {one.label: 0.99}, -9.0) for one in found.edge]
    return Held(found.texts, found.labels, sure, found.cloud)


def test_without_calibration_nothing_is_promised() -> None:
    placing = fitted(("edge", "cloud"), held(800, 1), None, GUARD)
    assert placing.promise is None
    assert answers(placing, held(800, 1)).outcome(placing.threshold).loss <= 0.02


def test_texts_beyond_are_told_from_those_within() -> None:
    beyond = [Said("a", {"a": 0.9, "b": 0.1}, -3.0)] * 50
    placing = fitted(("edge", "cloud"), held(800, 1), None, Guard(in_scope=0.9), beyond)
    assert placing.out_of_scope is not None
    assert placing.out_of_scope.kind == "energy"
    assert np.isinf(answers(placing, held(800, 1)).risk).mean() == pytest.approx(0.1, abs=0.01)


def test_the_same_again_is_the_same() -> None:
    once, twice = (fitted(("e", "c"), held(500, 1), held(700, 2), GUARD) for _ in range(2))
    assert once == twice
