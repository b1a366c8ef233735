from __future__ import annotations

import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edgewise.learning.judge.agreement import agreement, auc, consistency, kappa, spearman
from edgewise.learning.judge.show import figures

scores = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.7, 1.0]), min_size=6, max_size=40)


@given(scores, st.randoms(use_true_random=False))
def test_spearman_is_scipys(ours: list[float], dice: Random) -> None:
    theirs = dice.sample(ours, len(ours))
    if len(set(ours)) < 2:
        assert np.isnan(spearman(np.array(ours), np.array(theirs)))
        return
    expected = stats.spearmanr(ours, theirs).statistic
    assert spearman(np.array(ours), np.array(theirs)) == pytest.approx(expected, abs=1e-9)


@given(scores, st.randoms(use_true_random=False))
def test_auc_counts_pairs_and_kappa_is_one_only_for_equals(ours: list[float], dice: Random) -> None:
    truth = np.array([float(dice.random() < 0.5) for _ in ours])
    values = np.array(ours)
    good, bad = values[truth == 1], values[truth == 0]
    if len(good) and len(bad):
        pairs = [(a > b) + 0.5 * (a == b) for a in good for b in bad]
        assert auc(values, truth) == pytest.approx(np.mean(pairs))
    found = kappa(values, truth)
    assert np.isnan(found) or (found == pytest.approx(1)) == bool(((values >= 0.5) == (truth == 1)).all())


def test_intervals_hold_what_they_should_and_few_answers_tell_nothing() -> None:
    dice = np.random.default_rng(0)
    truth = (dice.random(200) < 0.5).astype(float)
    noisy = np.where(dice.random(200) < 0.8, truth, 1 - truth)
    pairs = [(str(n // 2), float(a), float(b)) for n, (a, b) in enumerate(zip(noisy, truth, strict=True))]
    found = agreement("judge", "graders", pairs)
    assert (found.n, found.prompts) == (200, 100)
    assert found.kappa.low < 0.6 < found.kappa.high
    assert found.auc.low < 0.8 < found.auc.high
    assert found.difference.mean == pytest.approx(abs(noisy - truth).mean())
    assert agreement("judge", "graders", pairs, seed=0) == found
    assert figures(agreement("judge", "graders", pairs[:4])) == []


def test_rows_of_one_prompt_are_drawn_together() -> None:
    """Twenty copies of one pair of answers say no more than the pair does."""
    alone = [(str(n), n % 3 / 2, n % 2) for n in range(12)]
    copied = [pair for pair in alone for _ in range(20)]
    few, many = agreement("j", "r", alone).spearman, agreement("j", "r", copied).spearman
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.3)


def test_a_judge_that_repeats_itself_is_consistent() -> None:
    same = consistency("judge", [(str(n), n / 20, n / 20 + 0.04) for n in range(10)])
    assert same.same.mean == 1
    assert same.spearman.mean == pytest.approx(1)
    assert same.difference.mean == pytest.approx(0.04)
    assert consistency("judge", [(str(n), 0.0, float(n % 2)) for n in range(10)]).same.mean == 0.5


def test_judging_itself_loads_no_numpy() -> None:
    """The gateway judges a share of its traffic, with or without the extra for learning."""
    code = "import sys, edgewise.learning.judge; print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False\n"
