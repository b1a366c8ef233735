"""Logged choices: the outcomes that nobody saw are estimated without bias, and learned from."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.learning.made_up import table
from tests.learning.synthetic import prompts

from edgewise.domain.errors import SettingsError
from edgewise.features.described import describer
from edgewise.learning.tables import OutcomeTable, prompt_key, read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.learners.protocol import Training
from edgewise.policies.learners.robust import doubly_robust
from edgewise.policies.objectives import Objective

UNSEEN = prompts(200, seed=77)
PLAIN = TrainOptions(Objective("quality-at-cost"), learner="ridge")
HARD = np.array([hard for _, hard in UNSEEN])


def logged(data: Training, propensity: np.ndarray, seed: int) -> tuple[Training, np.ndarray]:
    """What is left of a full table where one candidate is drawn a prompt."""
    draw = np.random.default_rng(seed).random((len(data), 1))
    chosen = (draw > propensity.cumsum(1)[:, :-1]).sum(1)
    counts = np.zeros(data.targets.shape)
    counts[np.arange(len(data)), chosen] = 1.0
    targets = np.where(counts > 0, data.targets, np.nan)
    return replace(data, targets=targets, weights=counts / propensity), counts


@pytest.mark.parametrize(("seed", "share"), [(0, 0.3), (1, 0.7)])
def test_without_a_clip_the_estimate_is_right_on_average_whatever_the_direct_model_says(
    seed: int, share: float
) -> None:
    """Over many draws of the log the mean estimate meets the truth, within four standard errors.

    The draws are always the same ones: in one of a few thousand others the mean would lie farther off.
    """
    data = table(60, seed=seed)
    propensity = np.tile([share, 1.0 - share], (60, 1))
    rounds = [doubly_robust(*logged(data, propensity, n), clip=1e9).targets for n in range(20)]
    found = np.stack(rounds).mean(axis=(1))
    error = found.std(0) / len(rounds) ** 0.5
    assert (np.abs(found.mean(0) - data.targets.mean(0)) < 4 * error + 1e-9).all()


def test_no_prompt_is_told_its_own_outcome_by_the_direct_model() -> None:
    """Where a candidate was not asked, the estimate does not depend on what the one that was asked earned."""
    data, counts = logged(table(60), np.full((60, 2), 0.5), 0)
    turned = data.targets.copy()
    turned[7] = 1.0 - turned[7]
    one = doubly_robust(data, counts)
    other = doubly_robust(replace(data, targets=turned), counts)
    unasked = counts[7] == 0
    np.testing.assert_array_equal(one.targets[7, unasked], other.targets[7, unasked])
    assert (one.targets[7, ~unasked] != other.targets[7, ~unasked]).all()


def test_a_residual_counts_a_bounded_number_of_times() -> None:
    data, counts = logged(table(60), np.tile([0.999, 0.001], (60, 1)), 0)
    data.targets[3], counts[3] = (np.nan, 1.0), (0.0, 1.0)
    data.weights[3] = 0.0, 1000.0
    bounded = doubly_robust(data, counts, clip=5.0)
    free = doubly_robust(data, counts, clip=1e9)
    assert np.abs(bounded.targets).max() < 7
    assert np.abs(free.targets).max() > 100


def test_whom_nobody_asked_stays_unknown_and_repeats_are_averaged() -> None:
    data, counts = logged(table(60, candidates=3), np.tile([0.5, 0.5, 1e-9], (60, 1)), 0)
    assert np.isnan(doubly_robust(data, counts).targets[:, 2]).all()
    twice = doubly_robust(replace(data, weights=2 * data.weights), 2 * counts)
    once = doubly_robust(data, counts)
    np.testing.assert_allclose(twice.targets, once.targets, atol=1e-5)
    np.testing.assert_array_equal(twice.weights, 2 * once.weights)


def log_file(path: Path, count: int = 400, seed: int = 0) -> OutcomeTable:
    """Traffic of a policy that sent hard prompts to the small one, of all things, nine times in ten."""
    dice = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "candidate", "location", "quality", "propensity"])
        for prompt, hard in prompts(count, seed):
            small = dice.random() < (0.9 if hard else 0.3)
            propensity = (0.9 if hard else 0.3) if small else (0.1 if hard else 0.7)
            right = dice.random() < ((0.1 if hard else 0.9) if small else 0.85)
            who = ("small", "edge") if small else ("large", "cloud")
            out.writerow([prompt, *who, float(right), propensity])
    return read_table(path)


@pytest.mark.parametrize("how", ["doubly-robust", "ipw"])
@pytest.mark.parametrize("learner", ["ridge", "auto"])
def test_either_way_learns_what_the_log_can_tell(tmp_path: Path, how: str, learner: str) -> None:
    read = log_file(tmp_path / "log.csv")
    trained = learn(read, TrainOptions(Objective("quality-at-cost"), learner=learner, bandit=how))
    said = trained.bundle.forecast(describer("static")([prompt for prompt, _ in UNSEEN]))
    right = said.choice == np.where(HARD, trained.bundle.candidates.index("large"), -1)
    assert right[HARD].mean() > 0.9
    assert any(note.startswith("Logged choices") for note in trained.notes)


def test_the_default_is_doubly_robust_and_the_bundles_differ(tmp_path: Path) -> None:
    read = log_file(tmp_path / "log.csv", 100)
    files = [
        learn(read, how).packed.files
        for how in (PLAIN, replace(PLAIN, bandit="doubly-robust"), replace(PLAIN, bandit="ipw"))
    ]
    assert files[0] == files[1] != files[2]


def test_a_full_table_is_learned_the_same_either_way() -> None:
    data = table(60)
    full = OutcomeTable(
        tuple(f"case {n}" for n in range(60)),
        tuple(prompt_key(f"case {n}") for n in range(60)),
        ("a", "b"),
        {"quality": data.targets},
        np.ones((60, 2), np.int64),
    )
    files = [
        learn(full, TrainOptions(Objective("quality-at-cost"), learner="ridge", bandit=how)).packed.files
        for how in ("doubly-robust", "ipw")
    ]
    assert files[0] == files[1]


def test_held_out_figures_of_noise_are_poor(tmp_path: Path) -> None:
    read = log_file(tmp_path / "log.csv", 200)
    quality = read.metrics["quality"]
    noise = np.random.default_rng(2).random(quality.shape)
    quality[:] = np.where(np.isnan(quality), np.nan, noise)
    heads = learn(read, TrainOptions(Objective("quality-at-cost"))).bundle.manifest.heads
    assert all((found["r2"] or 0) < 0.05 for found in heads["value"].metrics.values())


def test_another_way_is_a_sentence(tmp_path: Path) -> None:
    read = log_file(tmp_path / "log.csv", 40)
    with pytest.raises(SettingsError, match="--bandit is ipw or doubly-robust; found 'dr'"):
        learn(read, TrainOptions(Objective("quality-at-cost"), bandit="dr"))
