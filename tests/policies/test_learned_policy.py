"""A bundle as a policy: other objectives, delays, thresholds, and intervals that always hold their middle."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.learning.synthetic import prompts, write_table

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Estimate
from edgewise.domain.errors import BundleError, RequestError
from edgewise.domain.requests import Features, Situation
from edgewise.domain.signals import Signal, State
from edgewise.features.described import describer, version_of
from edgewise.learning.tables import read_table
from edgewise.learning.train import Target, TrainOptions, learn
from edgewise.policies.bundles import Bundle, Learned
from edgewise.policies.bundles.weighing import lacking
from edgewise.policies.checks import check_policy
from edgewise.policies.objectives import OBJECTIVES, Objective, objective_of
from edgewise.policies.steering import BONUS, GAIN, Steer

SMALL, LARGE = Candidate("small", "edge", "device"), Candidate("large", "cloud", "cloud")
LEARNABLE = [name for name in OBJECTIVES if name != "reward"]
WAYS = [*product(["qos", "quality-at-cost"], [None, *LEARNABLE])]
TEXTS = [prompt for prompt, _ in prompts(60, seed=99)]
DESCRIBED = {text: describer("static")([text]) for text in TEXTS}


def bundle_for(folder, objective: Objective, **more) -> Bundle:
    return learn(
        read_table(write_table(folder / "t.csv", energy=True)),
        TrainOptions(objective, learner="ridge", **more),
    ).bundle


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("bundles")
    return {name: bundle_for(folder, Objective(name, floor=0.0)) for name in LEARNABLE}


def situation(text: str, *signals: Signal, objective: str | None = None, **penalties: float) -> Situation:
    features = Features({}, DESCRIBED[text], "text-1", version_of("static"))
    return Situation(features, Shortlist((SMALL, LARGE), penalties), {s.name: s for s in signals}, objective)


def wait(candidate: str, seconds: float, state: State = "normal") -> Signal:
    return Signal(f"queue_wait_s:{candidate}", seconds, "s", 1.8e9, "test", state)


@pytest.mark.parametrize(("trained", "asked"), WAYS)
def test_every_forecast_has_an_interval_around_it(
    bundles: dict[str, Bundle], trained: str, asked: str | None
) -> None:
    for text in TEXTS:
        odds = check_policy(Learned(bundles[trained]), situation(text, wait("small", 0.5), objective=asked))
        for forecast in odds.forecasts.values():
            found = (forecast.quality, forecast.latency_s, forecast.cost_usd, forecast.utility)
            for estimate in found:
                assert isinstance(estimate, Estimate)
                assert estimate.low <= estimate.mean <= estimate.high
            assert forecast.quality is not None
            assert 0.0 <= forecast.quality.low < forecast.quality.high <= 1.0


def test_a_wait_is_added_to_the_latency_and_to_nothing_else(bundles: dict[str, Bundle]) -> None:
    policy = Learned(bundles["quality-at-cost"])
    for text in TEXTS[:5]:
        before = policy.odds(situation(text)).forecasts
        after = policy.odds(situation(text, wait("large", 2.0))).forecasts
        assert after["small"] == before["small"]
        assert (after["large"].quality, after["large"].utility) == (
            before["large"].quality,
            before["large"].utility,
        )
        for end in ("mean", "low", "high"):
            was, now = (getattr(found["large"].latency_s, end) for found in (before, after))
            assert now == pytest.approx(was + 2.0, rel=1e-5)
        assert policy.odds(situation(text, wait("large", 2.0, "unknown"))).forecasts == before


@pytest.mark.parametrize("objective", ["qos", "fastest-at-quality:0"])
def test_a_wait_changes_the_choice_where_speed_counts(bundles: dict[str, Bundle], objective: str) -> None:
    easy = [text for text, hard in prompts(60, seed=99) if not hard]
    policies = [
        (Learned(bundles[objective.partition(":")[0]]), None),
        (Learned(bundles["quality-at-cost"]), objective),
        (Learned(bundles["quality-at-cost"], objective_of(objective)), None),
    ]
    for (policy, asked), text in product(policies, easy[:5]):
        assert policy.odds(situation(text, objective=asked)).favourite == "small"
        late = policy.odds(situation(text, wait("small", 60.0), objective=asked))
        assert late.favourite == "large"
        usual = policy.odds(situation(text, objective=asked))
        utility, was = late.forecasts["small"].utility, usual.forecasts["small"].utility
        assert utility is not None
        assert was is not None
        assert utility.mean < was.mean


def test_qos_counts_a_wait_as_its_formula_does(bundles: dict[str, Bundle]) -> None:
    policy = Learned(bundles["qos"])
    before, after = (
        policy.odds(situation(TEXTS[0], *s)).forecasts["small"] for s in ((), (wait("small", 1.0),))
    )
    latency = before.latency_s.mean  # type: ignore[union-attr]  # learned
    change = after.utility.mean - before.utility.mean  # type: ignore[union-attr]  # always there
    assert change == pytest.approx(1.5 / (latency + 1.0) - 1.5 / latency, rel=1e-4)


def test_a_configured_objective_stands_in_for_the_bundles(bundles: dict[str, Bundle]) -> None:
    bundle = bundles["quality-at-cost"]
    configured = Learned(bundle, Objective("qos"))
    assert configured.name == f"{Learned(bundle).name}/qos"
    for text in TEXTS[:10]:
        assert configured.odds(situation(text)) == Learned(bundle).odds(situation(text, objective="qos"))
        back = configured.odds(situation(text, objective="quality-at-cost"))
        assert back.by_id == Learned(bundle).odds(situation(text)).by_id


def test_the_number_counts(bundles: dict[str, Bundle]) -> None:
    policy = Learned(bundles["quality-at-cost"])
    hard = [text for text, is_hard in prompts(60, seed=99) if is_hard]
    chosen = {
        weight: [
            policy.odds(situation(text, objective=f"quality-at-cost:{weight}")).favourite for text in hard
        ]
        for weight in (0.01, 5)
    }
    assert set(chosen[5]) == {"small"}  # 2 USD per 1,000 requests more than any quality is worth
    assert chosen[0.01].count("large") > 0.9 * len(hard)


def test_what_was_never_learned_is_refused_with_the_reason(bundles: dict[str, Bundle]) -> None:
    bundle = bundles["qos"]
    assert lacking(bundle, Objective("reward")) == ("reward",)
    with pytest.raises(
        RequestError, match="needs forecasts of reward; this bundle learned cost_usd, energy_j, lat"
    ) as caught:
        Learned(bundle).odds(situation(TEXTS[0], objective="reward"))
    assert (caught.value.status, caught.value.param) == (400, "edgewise.objective")
    with pytest.raises(BundleError, match="needs forecasts of reward"):
        Learned(bundle, Objective("reward")).odds(situation(TEXTS[0]))


@hypothesis_settings(max_examples=50)
@given(st.sampled_from(TEXTS), st.floats(-2, 2), st.floats(0, 1), st.none() | st.just("qos"))
def test_the_cloud_is_asked_exactly_where_its_gain_exceeds_the_threshold(
    bundles: dict[str, Bundle], text: str, bonus: float, penalty: float, configured: str | None
) -> None:
    objective = None if configured is None else Objective(configured)
    policy = Learned(bundles["quality-at-cost"], objective).steered(Steer(bonus, 0.5, 0.5))
    odds = check_policy(policy, situation(text, large=penalty))
    gain = odds.evidence[GAIN]
    assert odds.evidence[BONUS] == bonus
    assert abs(gain + bonus) < 1e-9 or odds.favourite == ("large" if gain > -bonus else "small")
    free = policy.odds(situation(text)).evidence[GAIN]
    assert gain == pytest.approx(free - penalty)


def test_who_names_an_objective_is_not_steered(bundles: dict[str, Bundle]) -> None:
    policy = Learned(bundles["quality-at-cost"])
    asked = situation(TEXTS[0], objective="quality-at-cost:0.1")
    assert policy.steered(Steer(99.0, 1.0, 1.0)).odds(asked) == policy.odds(asked)


def test_a_threshold_needs_both_sides(bundles: dict[str, Bundle]) -> None:
    policy = Learned(bundles["qos"]).steered(Steer(99.0, 1.0, 1.0))
    features = situation(TEXTS[0]).features
    odds = policy.odds(Situation(features, Shortlist((SMALL,))))
    assert odds.favourite == "small"
    assert GAIN not in odds.evidence


def test_a_bundle_remembers_its_target_and_its_gains(tmp_path) -> None:
    target = Target(cloud_share=0.3)
    steered = bundle_for(tmp_path, Objective("quality-at-cost"), target=target)
    plain = bundle_for(tmp_path, Objective("quality-at-cost"))
    assert (steered.manifest.target, plain.manifest.target) == (target, None)
    assert steered.manifest.version != plain.manifest.version
    np.testing.assert_array_equal(steered.gains, plain.gains)
    assert len(plain.gains) == 101
    assert (np.diff(plain.gains) >= 0).all()
    bonus = float(steered.offsets[steered.candidates.index("large")])
    assert (plain.gains > -bonus).mean() == pytest.approx(0.3, abs=0.02)
