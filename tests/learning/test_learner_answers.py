"""The second stage reads answers; latency and tokens are forecast as positive amounts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.made_up import STATIC, table

from edgewise.policies.learners import interplay
from edgewise.policies.learners.answers import Answered, AnswerLearner, AnswerRule, beside
from edgewise.policies.learners.positive import PositiveLearner, PositiveRule

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates too


def answered(count: int, seed: int = 0) -> tuple[Answered, np.ndarray]:
    """Sums and answers to them; 1 where the answer's equation holds, 0 where not."""
    draw = np.random.default_rng(seed)
    right = draw.integers(0, 2, count)
    asked, said = [], []
    for truth in right:
        a, b = draw.integers(2, 50, 2)
        asked.append(f"What is the sum of {a} and {b}?")
        total = a + b if truth else a + b + draw.integers(1, 9)
        said.append(f"We add them: {a} + {b} = {total}. So it is {total}.")
    found = Answered(STATIC.describe(asked), STATIC.describe(said), beside(asked, said))
    return found, np.stack([right, 1.0 - right], 1).astype(float)


def test_it_sees_whether_the_equation_holds():
    found, right = answered(150)
    asked, truth = answered(100, seed=3)
    said = AnswerLearner().fit(found, right).predict(asked)
    assert ((said[:, 0] > 0.5) == truth[:, 0]).mean() > 0.85


def test_arrays_bring_the_same_rule_back():
    found, right = answered(60)
    rule = AnswerLearner().fit(found, right)
    assert AnswerRule.from_arrays(rule.arrays()).predict(found).tobytes() == rule.predict(found).tobytes()
    again = AnswerLearner().fit(found, right)
    assert all(again.arrays()[name].tobytes() == value.tobytes() for name, value in rule.arrays().items())


def test_a_row_that_weighs_nothing_is_as_good_as_missing():
    found, right = answered(60)
    weights = np.ones(right.shape)
    weights[:20] = 0.0
    weighed = AnswerLearner().fit(found, right, weights=weights).predict(found)
    dropped = AnswerLearner().fit(found.take(np.arange(20, 60)), right[20:]).predict(found)
    np.testing.assert_allclose(weighed, dropped, atol=1e-5)


def test_holes_are_left_out_of_their_own_output_only():
    found, right = answered(60)
    right[5:30, 1] = np.nan
    said = AnswerLearner().fit(found, right).predict(found)
    assert np.isfinite(said).all()
    right[:, 1] = np.nan
    np.testing.assert_allclose(AnswerLearner().fit(found, right).predict(found)[:, 1], 0.5, atol=1e-6)


def test_a_heavy_row_pulls_its_own_forecast():
    found, right = answered(40)
    weights = np.ones(right.shape)
    weights[0] = 50.0
    plain = AnswerLearner().fit(found, right).predict(found)[0, 0]
    heavy = AnswerLearner().fit(found, right, weights=weights).predict(found)[0, 0]
    assert abs(heavy - right[0, 0]) < abs(plain - right[0, 0])


def test_more_answers_than_it_keeps_are_drawn_by_the_seed():
    found, right = answered(80)
    rule = AnswerLearner(most=30).fit(found, right, seed=1)
    assert len(rule.duals) == 30
    assert (
        rule.predict(found).tobytes() == AnswerLearner(most=30).fit(found, right, 1).predict(found).tobytes()
    )


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec=None)),
    st.text("0123456789+-*/x()=.,$% \n") | st.text(st.characters(codec=None)),
)
def test_any_answer_has_finite_features(prompt, answer):
    found = interplay.describe(prompt, answer)
    assert len(found) == interplay.WIDTH
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("3 + 4 = 7", 0),
        ("3 + 4 = 8", 1),
        ("2 x (3 + 1) = $8, and 10/4 = 2.5", 0),
        ("5% of 20: 5/100 * 20 = 2", 1),
    ],
)
def test_wrong_equations_are_counted(answer, wrong):
    assert interplay.describe("", answer)[interplay.NAMES.index("equations_wrong")] == wrong


def test_long_answers_full_of_digits_are_read_in_bounded_steps():
    # An expression that backtracks needs hours for these.
    for answer in (
        "1+" * 200_000,
        "1 1 1 1" * 100_000,
        "= " * 100_000,
        "1+1=" * 100_000,
        "(" * 100_000 + "=1",
    ):
        assert np.isfinite(interplay.describe("p", answer)).all()


def latencies(count: int, seed: int = 0):
    data = table(count, seed=seed)
    draw = np.random.default_rng(seed + 50)
    long = np.where(data.labels == 1, 8.0, 2.0)[:, None]
    return replace(data, targets=long * np.exp(draw.normal(0, 0.3, data.targets.shape)))


def test_nine_tenths_of_new_latencies_lie_in_the_interval():
    rule = PositiveLearner().fit(latencies(400))
    asked = latencies(400, seed=7)
    mean, low, median, high = np.moveaxis(rule.predict(asked.features), 1, 0)
    assert (low <= median).all()
    assert (median <= high).all()
    inside = ((asked.targets >= low) & (asked.targets <= high)).mean()
    assert 0.84 <= inside <= 0.96
    assert mean[asked.labels == 1].mean() > 2 * mean[asked.labels == 0].mean()


def test_amounts_that_cannot_be_are_not_learned_from():
    data = latencies(60)
    data.targets[::3] = -1.0
    data.targets[1::3, 1] = np.nan
    rule = PositiveLearner().fit(data)
    said = rule.predict(data.features)
    assert (said > 0).all()
    assert np.isfinite(said).all()
    assert PositiveRule.from_arrays(rule.arrays()).predict(data.features).tobytes() == said.tobytes()
