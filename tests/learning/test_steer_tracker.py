"""The threshold that keeps a share or a budget while the stream drifts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edgewise.learning.steer.tracker import FEWEST, HIGHEST, LOWEST, RATE, WINDOW, Tracker
from edgewise.policies.steering import Target

COUNT = 6000
PRIOR = np.quantile(np.random.default_rng(99).normal(0.0, 1.0, 2000), np.linspace(0, 1, 101)).tolist()
NEW_THRESHOLD_EVERY = 8  # as when serving


def drifting(seed: int) -> list[float]:
    """Gains that wander off: nothing, then ever harder prompts, then a new level, with a swell on top."""
    dice = np.random.default_rng(seed)
    t = np.arange(COUNT) / COUNT
    trend = np.interp(t, [0.0, 0.25, 0.6, 1.0], [0.0, 0.0, 1.4, 1.4])
    return [float(gain) for gain in trend + 0.6 * np.sin(40 * t) + dice.normal(0.0, 1.0, COUNT)]


def asked(
    tracker: Tracker, gains: list[float], usd: list[float] | None = None, *, follow: bool = True
) -> np.ndarray:
    """Which of the gains the cloud was asked for; without `follow` by the first threshold for ever."""
    steer, found = tracker.steer, []
    for number, gain in enumerate(gains):
        if follow and number % NEW_THRESHOLD_EVERY == 0:
            steer = tracker.steer
        cloud = gain + steer.bonus > 0.0
        found.append(cloud)
        tracker.note(gain, cloud=cloud, usd=None if usd is None else usd[number] * cloud)
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_a_share_is_kept_while_prompts_drift_and_missed_without(share: float, seed: int) -> None:
    def tracker() -> Tracker:
        return Tracker(Target(cloud_share=share), gains=PRIOR)

    kept = asked(tracker(), drifting(seed))
    left = asked(tracker(), drifting(seed), follow=False)
    assert abs(kept.mean() - share) < 0.005
    assert np.abs(kept.reshape(-1, 500).mean(axis=1) - share).max() < 0.1
    assert abs(left.mean() - share) > 0.1
    assert np.abs(left.reshape(-1, 500).mean(axis=1) - share).max() > 0.3


@pytest.mark.parametrize("seed", range(3))
def test_a_budget_is_kept_while_prompts_and_answers_grow(seed: int) -> None:
    dice = np.random.default_rng(seed)
    usd = (np.linspace(0.001, 0.004, COUNT) * dice.lognormal(0.0, 0.5, COUNT)).tolist()

    def spent(*, follow: bool) -> float:
        tracker = Tracker(Target(usd_per_1k=0.4), gains=PRIOR, usd=0.001)
        cloud = asked(tracker, drifting(seed), usd, follow=follow)
        return 1000.0 * float((cloud * usd).mean())

    assert spent(follow=True) == pytest.approx(0.4, rel=0.03)
    assert spent(follow=False) > 0.8


@hypothesis_settings(max_examples=40)
@given(
    st.floats(0.05, 0.95),
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 3.0]) | st.floats(-5, 5), min_size=50, max_size=80),
    st.integers(10, 40),
)
def test_however_the_gains_come_the_mean_is_near_the_share(
    share: float, block: list[float], times: int
) -> None:
    """The law behind it (Gibbs and Candès 2021), for a threshold that follows every request."""
    tracker = Tracker(Target(cloud_share=share), gains=PRIOR)
    cloud = []
    for gain in block * times:
        cloud.append(gain + tracker.steer.bonus > 0.0)
        tracker.note(gain, cloud=cloud[-1], usd=None)
    bound = (max(share, 1.0 - share) + RATE) / (RATE * len(cloud))
    assert abs(np.mean(cloud) - share) <= bound + 1e-9


@given(st.lists(st.floats(-3, 3), min_size=FEWEST, max_size=400), st.floats(0.01, 0.99))
def test_the_threshold_is_the_quantile_of_the_last_gains(gains: list[float], share: float) -> None:
    tracker = Tracker(Target(cloud_share=share), gains=gains)
    last = np.array(gains[-WINDOW:])
    bonus = tracker.steer.bonus
    assert (last > -bonus + 1e-9).mean() <= share + 1.0 / len(last)
    assert (last >= -bonus - 1e-9).mean() >= share - 1.0 / len(last)


def test_nothing_or_everything_goes_where_that_is_the_share() -> None:
    gains = drifting(0)
    assert not asked(Tracker(Target(cloud_share=0.0), gains=PRIOR), gains).any()
    assert asked(Tracker(Target(cloud_share=1.0), gains=PRIOR), gains).all()


def test_misses_that_nobody_could_avoid_are_not_paid_back_for_ever() -> None:
    tracker = Tracker(Target(cloud_share=0.2), gains=PRIOR)
    for _ in range(10_000):  # somebody sends everything to the cloud
        tracker.note(0.0, cloud=True, usd=None)
    assert tracker.level == LOWEST
    for _ in range(10_000):
        tracker.note(0.0, cloud=False, usd=None)
    assert tracker.level == HIGHEST


def test_before_there_are_gains_the_first_threshold_holds() -> None:
    tracker = Tracker(Target(cloud_share=0.2), bonus=-0.7)
    assert tracker.steer.bonus == -0.7
    for number in range(FEWEST):
        tracker.note(float(number), cloud=False, usd=None)
    assert tracker.steer.bonus != -0.7


def test_what_a_budget_begins_with() -> None:
    assert Tracker(Target(usd_per_1k=0.5), usd=0.002).level == pytest.approx(0.25)
    assert Tracker(Target(usd_per_1k=9.0), usd=0.002).level == 1.0
    assert Tracker(Target(usd_per_1k=0.5)).level == 0.5


def test_unknown_costs_teach_a_budget_nothing() -> None:
    tracker = Tracker(Target(usd_per_1k=0.5), gains=PRIOR, usd=0.002)
    tracker.note(1.0, cloud=True, usd=None)
    assert tracker.level == pytest.approx(0.25)
    tracker.note(1.0, cloud=True, usd=0.002)
    assert tracker.level < 0.25
