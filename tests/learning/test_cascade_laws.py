"""Bounds and thresholds where the truth is known: populations that were made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.learning.cascade.bounds import at_most, fewest_texts, loss_bound, lower_bound, upper_bound
from edgewise.learning.cascade.thresholds import Answers, ladder, most_kept, proven

SPLITS = 200
FAILURES = 15  # of 200, where 10 are allowed on average: more than that has a chance of 4 % at the very bound


@pytest.mark.parametrize(
    ("count", "texts", "share", "expected"),
    # As pbinom of R says.
    [(0, 10, 0.1, 0.3486784401), (3, 10, 0.25, 0.7758750916), (7, 10, 0.5, 0.9453125), (2, 3, 0.9, 0.271)],
)
def test_the_tail_of_a_count_is_that_of_the_textbook(
    count: int, texts: int, share: float, expected: float
) -> None:
    assert at_most(count, texts, share) == pytest.approx(expected, abs=1e-10)


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    # As qbeta of R says.
    assert upper_bound(0, 299, 0.05) == pytest.approx(0.009969146793, abs=1e-9)
    assert upper_bound(3, 1000, 0.04) == pytest.approx(0.008064850570, abs=1e-9)
    assert upper_bound(5, 5, 0.05) == 1.0
    assert lower_bound(0, 50, 0.05) == 0.0


@given(st.integers(1, 400), st.data(), st.floats(0.001, 0.4))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_a_bound_lies_beyond_what_was_seen_and_where_its_doubt_says(
    texts: int, data: st.DataObject, doubt: float
) -> None:
    count = data.draw(st.integers(0, texts - 1))
    bound = upper_bound(count, texts, doubt)
    assert count / texts <= bound <= 1.0
    assert at_most(count, texts, bound) == pytest.approx(doubt, rel=1e-6)
    assert upper_bound(count + 1, texts, doubt) > bound


def test_the_fewest_texts_are_just_enough() -> None:
    for max_loss in (0.005, 0.01, 0.05):
        need = fewest_texts(max_loss, 0.95)
        assert loss_bound(0, 0, need, 0.95) <= max_loss < loss_bound(0, 0, need - 1, 0.95)


def population(
    count: int, lost: float, won: float, dice: np.random.Generator, *, telling: float = 1.0
) -> Answers:
    """Answers whose risk tells where only the cloud is right, more or less; most are right on both sides."""
    kind = dice.choice(4, count, p=[lost, won, 0.04, 0.96 - lost - won])  # lost, won, both wrong, both right
    risk = 1.0 / (1.0 + np.exp(-(dice.normal(size=count) + 2.0 * telling * (kind == 0) - 2.0)))
    return Answers(risk, (kind == 1) | (kind == 3), (kind == 0) | (kind == 3))


@pytest.mark.parametrize(
    ("lost", "won", "telling", "texts"),
    [
        (0.05, 0.0, 1.0, 1_500),  # a weak edge that knows what it does not know
        (0.03, 0.02, 0.0, 1_000),  # the true loss is the bound, and the risk says nothing
        (0.012, 0.002, 0.0, 800),
        (0.25, 0.0, 1.5, 400),
    ],
)
def test_the_promise_is_broken_in_few_of_many_calibrations(
    lost: float, won: float, telling: float, texts: int
) -> None:
    """Each calibration is drawn anew from a population whose loss at every threshold is known."""
    dice = np.random.default_rng(7)
    truth = population(200_000, lost, won, dice, telling=telling)
    rungs = ladder(population(1_000, lost, won, dice, telling=telling).risk)
    real = {rung: truth.outcome(rung).loss for rung in rungs.tolist()}
    broken = 0
    for _ in range(SPLITS):
        found = proven(truth.rows(dice.integers(0, len(truth.risk), texts)), rungs, 0.01, 0.95)
        broken += found is not None and real[found.threshold] > 0.01
    assert broken <= FAILURES


def test_the_promise_costs_little_where_the_edge_knows_what_it_does_not_know() -> None:
    dice = np.random.default_rng(3)
    rungs = ladder(population(1_000, 0.03, 0.0, dice, telling=2.5).risk)
    found = proven(population(3_000, 0.03, 0.0, dice, telling=2.5), rungs, 0.01, 0.95)
    assert found is not None
    assert found.kept > 0.85
    assert found.bound(0.95) <= 0.01


def test_too_few_texts_prove_nothing() -> None:
    perfect = Answers(np.linspace(0.01, 0.5, 320), np.ones(320, bool), np.ones(320, bool))
    assert proven(perfect, ladder(perfect.risk), 0.01, 0.95) is None
    more = Answers(np.linspace(0.01, 0.5, 321), np.ones(321, bool), np.ones(321, bool))
    found = proven(more, ladder(more.risk), 0.01, 0.95)
    assert found is not None
    assert found.kept == 1.0


def test_a_threshold_beyond_the_first_that_fails_is_never_chosen() -> None:
    """Even where it would pass: it stands behind a failure in the order that was fixed."""
    risk = np.repeat([0.1, 0.2, 0.3], 400)
    edge, cloud = np.ones(1200, bool), np.ones(1200, bool)
    edge[400:430] = False  # lost at .2 ...
    cloud[800:1200] = False  # ... and won back many times at .3
    found = proven(Answers(risk, edge, cloud), np.array([0.1, 0.2, 0.3]), 0.01, 0.95)
    assert found is not None
    assert found.threshold == 0.1


def test_what_is_out_of_scope_never_stays() -> None:
    answers = Answers(np.array([0.1, np.inf]), np.array([True, False]), np.array([True, True]))
    assert answers.outcome(1.0).kept == 0.5
    assert most_kept(answers, 0.0).kept == 0.5


def test_equal_risks_stay_or_go_together() -> None:
    edge = np.array([True, True, False, True])
    found = most_kept(Answers(np.full(4, 0.3), edge, np.ones(4, bool)), 0.1)
    assert found.kept == 0.0
    assert most_kept(Answers(np.full(4, 0.3), edge, np.ones(4, bool)), 0.25).kept == 1.0
