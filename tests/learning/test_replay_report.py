"""From stories to figures, and the reasons for having none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from edgewise.domain.decisions import Decision, Feedback, Odds, Outcome, draw
from edgewise.domain.stories import Story
from edgewise.learning.replay import Asked, Replayed, Wishes, quality_of, replay
from edgewise.policies.objectives import Objective

PLAIN = Objective("quality-at-cost")
QUALITY = {"edge": 0.3, "cloud": 0.8, "site": 0.5}


def always(name: str) -> Any:
    """A policy that takes `name` wherever it is offered, else the first that is."""

    def wishes(asked: Sequence[Asked], candidates: Sequence[str], offered: np.ndarray) -> Wishes:
        odds = np.zeros(offered.shape)
        for row, here in enumerate(offered):
            named = name in candidates and here[list(candidates).index(name)]
            odds[row, list(candidates).index(name) if named else int(here.argmax())] = 1.0
        return Wishes(odds)

    return wishes


def story(number: int, odds: dict[str, float], quality: float | None = None, **changes: Any) -> Story:
    identity = f"req_{number:012x}" + f"{(number * 2654435761) % 2**32:08x}" * 2 + "0000"
    chosen = draw(Odds(odds), identity)
    decision = Decision(
        id=identity,
        at=1.7e9 + number,
        chosen=chosen,
        location="edge",
        policy="test",
        reason="explored",
        propensity=odds[chosen],
        odds=odds,
        shortlist=tuple(odds),
        prompt=f"prompt {number}",
    )
    outcome = Outcome(
        decision_id=identity,
        at=decision.at,
        status="ok",
        candidate=chosen,
        latency_s=1.0 if chosen == "edge" else 2.0,
        cost_usd=0.0 if chosen == "edge" else 0.001,
    )
    said = () if quality is None else (feedback(identity, quality),)
    told = Story(decision=decision, outcome=outcome, feedback=said, seq=number)
    return replace(told, **changes)


def feedback(identity: str, quality: float | None = None, **said: Any) -> Feedback:
    return Feedback(id=f"fb_{identity}", decision_id=identity, at=1.7e9, quality=quality, **said)


def log(count: int, odds: dict[str, float], *, rated: bool = True) -> Iterator[Story]:
    dice = np.random.default_rng(0)
    for number in range(count):
        told = story(number, odds)
        good = float(dice.random() < QUALITY[told.decision.chosen])
        yield replace(told, feedback=(feedback(told.decision.id, good),) if rated else ())


def replayed(stories: Any, name: str = "cloud", objective: Objective = PLAIN) -> Replayed:
    return replay(stories, always(name), objective, policy=name)


def test_a_log_with_exploration_knows_what_another_policy_earns() -> None:
    found = replayed(log(2000, {"edge": 0.8, "cloud": 0.2}))
    assert found.refusal is None
    for name in ("ips", "snips", "doubly_robust"):
        interval = getattr(found.measures["quality"], name)
        assert interval.low <= QUALITY["cloud"] <= interval.high
    assert found.measures["latency_s"].snips.mean == pytest.approx(2.0)
    assert found.measures["cost_usd"].snips.mean == pytest.approx(0.001)
    assert found.verdict == "better"
    assert replayed(log(2000, {"edge": 0.2, "cloud": 0.8}), "edge").verdict == "worse"


def test_each_row_keeps_its_own_shortlist() -> None:
    """Where the cloud was not offered the policy has to take another, and must not be credited with it."""
    pair, other = {"edge": 0.5, "cloud": 0.5}, {"edge": 0.5, "site": 0.5}
    stories = [
        story(number, odds, quality=QUALITY[story(number, odds).decision.chosen])
        for number, odds in ((n, pair if n % 2 else other) for n in range(1000))
    ]
    found = replayed(stories)
    assert found.footing.coverage == 1.0
    expected = (QUALITY["cloud"] + QUALITY["edge"]) / 2
    assert found.measures["quality"].snips.mean == pytest.approx(expected, abs=0.02)


def test_it_refuses_a_log_that_left_nothing_to_chance() -> None:
    found = replayed(log(500, {"edge": 1.0, "cloud": 0.0}))
    assert found.refusal is not None
    assert found.measures == {}
    assert found.verdict is None
    assert "All 500 decisions" in found.refusal
    assert "the same in 0%" in found.refusal
    assert "explore = 0.1" in found.refusal
    assert "--canary" in found.refusal


def test_it_refuses_where_the_wish_never_had_a_chance() -> None:
    found = replayed(log(500, {"edge": 0.5, "site": 0.5, "cloud": 0.0}))
    assert found.refusal is not None
    assert "100% of what the policy would choose had no chance" in found.refusal


def test_it_refuses_where_too_little_was_tried_and_its_advice_is_enough() -> None:
    thin = replayed(log(300, {"edge": 0.99, "cloud": 0.01}))
    assert thin.refusal is not None
    assert "are needed" in thin.refusal
    advised = int(thin.refusal.split(" rated decisions with")[0].rsplit(" ", 1)[1].replace(",", ""))
    enough = replayed(log(int(advised * 1.3), {"edge": 0.95, "cloud": 0.05}))
    assert enough.refusal is None


def test_agreement_alone_does_not_carry_it() -> None:
    """The policy differs in 5 % of the prompts, and the log tried it in none of those."""
    stories = []
    for number in range(1000):
        odds = {"cloud": 1 - 1e-9, "edge": 1e-9} if number % 20 else {"edge": 1 - 1e-9, "cloud": 1e-9}
        told = story(number, odds)
        assert told.decision.chosen == ("cloud" if number % 20 else "edge")
        stories.append(replace(told, feedback=(feedback(told.decision.id, 1.0),)))
    found = replayed(stories)
    assert found.footing.effective > 900
    assert found.refusal is not None
    assert "in 0 of them" in found.refusal


def test_it_refuses_where_nothing_was_rated_and_where_there_is_nothing() -> None:
    unrated = replayed(log(50, {"edge": 0.5, "cloud": 0.5}, rated=False)).refusal
    assert unrated is not None
    assert "None of the 50 answers" in unrated
    assert "/v1/feedback" in unrated
    assert replayed([]).refusal == "The log holds no decision yet."


def test_prompts_that_the_policy_was_trained_on_are_left_out() -> None:
    def half(prompt: str) -> bool:
        return int(prompt.split()[1]) < 500

    stories = list(log(1000, {"edge": 0.5, "cloud": 0.5}))
    found = replay(stories, always("cloud"), PLAIN, seen=half)
    assert found.footing.rows == 500
    assert found.measures == replayed(stories[500:]).measures
    assert found.rated == 1.0
    refused = replay(stories[:500], always("cloud"), PLAIN, seen=half).refusal
    assert refused is not None
    assert "All 500 decisions" in refused
    assert "trained on" in refused


def test_what_no_policy_decided_is_left_out_and_counted() -> None:
    free = list(log(400, {"edge": 0.5, "cloud": 0.5}))
    odd = story(1000, {"edge": 0.5, "cloud": 0.5}, 1.0)
    assert odd.outcome is not None

    def other(**changes: Any) -> Story:
        return replace(odd, decision=replace(odd.decision, **changes))

    strange = [
        other(model="edge"),
        other(shortlist=("edge",), odds={"edge": 1.0}, chosen="edge", propensity=1.0),
        other(objective="qos"),
        other(prompt=None),
        other(odds={}),
        replace(odd, outcome=None),
        replace(odd, outcome=replace(odd.outcome, status="cancelled")),
        replace(odd, feedback=()),
    ]
    found = replayed([*free, *strange])
    assert found.footing.rows == 400
    assert found.decisions == 408
    assert sorted(found.left_out.values()) == [1] * 8
    assert found.measures == replayed(free).measures


def test_failures_count_as_nothing_but_only_as_often_as_answers_are_rated() -> None:
    """One answer in ten is rated; a tenth of all requests fails. The mean must say 0.9, not 0.5."""
    stories = []
    for number in range(2000):
        told = story(number, {"edge": 0.5, "cloud": 0.5})
        assert told.outcome is not None
        if number % 10 == 0:
            told = replace(told, outcome=replace(told.outcome, status="error"))
        elif number % 10 == 1:
            told = replace(told, feedback=(feedback(told.decision.id, 1.0),))
        stories.append(told)
    found = replayed(stories, "edge")
    assert found.rated == pytest.approx(1 / 9)
    assert found.measures["quality"].logged.mean == pytest.approx(0.9)
    assert any("failed" in note for note in found.notes)
    assert any("were rated" in note for note in found.notes)


@pytest.mark.parametrize(
    ("said", "quality"),
    [
        (({"quality": 0.4}, {"quality": 0.6}), 0.5),
        (({"thumbs": "up"}, {"thumbs": "up"}, {"thumbs": "down"}), 2 / 3),
        (({"quality": 0.2}, {"thumbs": "up"}), 0.6),
        (({"rating": 5.0},), 1.0),
        (({"comment": "hm"},), None),
        ((), None),
    ],
)
def test_what_feedback_is_worth(said: tuple[dict[str, Any], ...], quality: float | None) -> None:
    told = story(0, {"edge": 1.0})
    told = replace(told, feedback=tuple(feedback(told.decision.id, **one) for one in said))
    assert quality_of(told) == (None if quality is None else pytest.approx(quality))


def test_an_objective_that_the_log_cannot_measure_goes_by_quality() -> None:
    found = replayed(log(1000, {"edge": 0.5, "cloud": 0.5}), objective=Objective("reward"))
    assert "utility" not in found.measures
    assert found.verdict == "better"
    assert any("reward" in note for note in found.notes)


def test_qos_is_made_of_what_was_measured() -> None:
    found = replayed(log(1000, {"edge": 0.5, "cloud": 0.5}), objective=Objective("qos"))
    quality = found.measures["quality"].snips.mean
    assert found.measures["utility"].snips.mean == pytest.approx(1.5 * quality + 1.5 / 2.0)
