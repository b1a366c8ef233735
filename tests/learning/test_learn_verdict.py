from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from msgspec import structs

from edgewise.learning.evaluate.bootstrap import Interval, Verdict
from edgewise.learning.evaluate.report import Comparison, Leakage, PolicyReport, Report
from edgewise.learning.loop.verdict import verdict_of

PROMPTS = 400


def reported(gain: float, sd: float, perfect: float, spread: float) -> Report:
    """An evaluation in which the learned policy gains so much over the best single candidate."""
    half = 1.96 * sd / sqrt(PROMPTS)
    difference = Interval(gain, gain - half, gain + half)
    verdict: Verdict = "better" if gain - half > 0 else "worse" if gain + half < 0 else "no different"
    wide = 1.96 * spread / sqrt(PROMPTS)
    regret = Interval(perfect, perfect - wide, perfect + wide)
    nothing = Interval(0.0, 0.0, 0.0)

    def policy(name: str, worth: float, regret: Interval) -> PolicyReport:
        return PolicyReport(
            name, Interval(worth, worth, worth), 0.1, regret, nothing, {"a": 300.0, "b": 100.0}
        )

    return Report(
        kind="cross-validation",
        table="judged.jsonl",
        objective="qos",
        candidates=("a", "b"),
        prompts=PROMPTS,
        leakage=Leakage("None.", PROMPTS, 0, 0, PROMPTS),
        verdict="",
        trustworthy=True,
        seeds={},
        notes=(),
        policies=(
            policy("learned", 1.0 + gain, regret),
            policy("best baseline", 1.0, regret),
            policy("best single", 1.0, regret),
            policy("always a", 1.02, regret),
            policy("oracle", 1.0 + perfect, nothing),
        ),
        comparisons=(Comparison("learned", "best single", difference, verdict, ""),),
    )


def test_better_says_by_how_much_and_how_many_would_have_done() -> None:
    found = verdict_of(reported(0.1, 0.5, 0.4, 0.5))
    assert found.verdict == "better"
    assert found.single == "a"
    assert found.sentence == (
        "A learned policy is better than the best single candidate here (a): "
        "+0.1 [+0.051, +0.149] in qos a prompt, judged on 400 prompts that it had not seen."
    )
    assert found.needed == pytest.approx(7.849 * 25, rel=0.01)
    assert "about 197 prompts would have been enough" in found.more


def test_no_better_says_what_could_have_been_seen_and_what_it_takes() -> None:
    found = verdict_of(reported(0.02, 0.5, 0.4, 0.5))
    assert found.verdict == "no different"
    assert "no better, as far as can be told, than the best single candidate here (a)" in found.sentence
    assert found.detectable == pytest.approx(2.8016 * 0.5 / 20, rel=0.01)
    assert found.needed == pytest.approx(7.849 * 625, rel=0.01)
    assert "a gain of 0.07 or more, four times in five" in found.more
    assert "about 4,9" in found.more


def test_a_policy_that_only_follows_the_best_single_one_says_what_a_quarter_takes() -> None:
    found = verdict_of(reported(0.0, 0.0, 0.4, 0.5))
    assert (found.needed, found.detectable) == (None, None)
    assert found.needed_for_share == pytest.approx(7.849 * 4 * (0.5 / 0.4) ** 2, rel=0.05)
    assert "Perfect choices would gain +0.4" in found.more


def test_where_nothing_can_be_gained_no_number_is_made_up() -> None:
    found = verdict_of(reported(0.0, 0.0, 0.0, 0.0))
    assert found.needed_for_share is None
    assert found.more == "No choice between these candidates could gain anything on these prompts."


def test_a_rule_that_beats_it_is_told() -> None:
    report = reported(-0.2, 0.5, 0.4, 0.5)
    assert verdict_of(report).verdict == "worse"
    assert "best rule that needs no learning reached 1, the learned policy 0.8" in verdict_of(report).more
    assert "needs no learning" not in verdict_of(reported(0.1, 0.5, 0.4, 0.5)).more


def test_so_many_prompts_do_tell_such_a_gain_four_times_in_five() -> None:
    """The estimate against a simulation of the test that it is made for."""
    gain, sd = 0.1, 0.5
    needed = verdict_of(structs.replace(reported(gain, sd, 0.4, 0.5))).needed
    assert needed is not None
    drawn = np.random.default_rng(0).normal(gain, sd, (4_000, needed))
    told = drawn.mean(axis=1) - 1.96 * drawn.std(axis=1) / sqrt(needed) > 0
    assert 0.76 < told.mean() < 0.84


def test_a_single_one_that_differs_from_part_to_part_is_not_passed_off_as_one() -> None:
    report = reported(0.1, 0.5, 0.4, 0.5)
    assert (
        "(a for 75%, b for 25%); always a would have reached 1.02, the learned policy 1.1."
        in verdict_of(report).more
    )
    singles = [
        structs.replace(each, choices={"a": 400.0, "b": 0.0}) if each.name == "best single" else each
        for each in report.policies
    ]
    assert "always a" not in verdict_of(structs.replace(report, policies=tuple(singles))).more
