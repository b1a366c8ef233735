"""A shadow's answer: told with its decision, exported as a row of its own, never taken for the client's."""

from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies
from tests.outcomes.sample import AT, DECISION, OUTCOME, decision, outcome
from tests.outcomes.test_explanation import HOSTILE

from edgewise.domain.decisions import Decision, Estimate, Feedback, Forecast, Outcome, Record, Shadow
from edgewise.domain.errors import StoreError
from edgewise.domain.ids import shadow_id
from edgewise.domain.stories import Story, as_json
from edgewise.outcomes import LogReader, MemoryLog, SqliteLog
from edgewise.outcomes.checks import check_log
from edgewise.outcomes.explain import explain
from edgewise.outcomes.export import COLUMNS, rows
from edgewise.outcomes.plain import plain

SEEN = Shadow(
    "bundle:1a2b",
    "cloud-simulated",
    {"smollm2-135m": 0.0, "cloud-simulated": 1.0},
    forecasts={"cloud-simulated": Forecast(quality=Estimate(0.9, 0.8, 1.0))},
    ask=True,
)
CLIENTS = replace(DECISION, shadow=SEEN)
BESIDE = decision(
    id=shadow_id(CLIENTS.id),
    at=AT + 2,
    chosen="cloud-simulated",
    location="cloud",
    policy="bundle:1a2b",
    reason="shadow",
    propensity=1.0,
    odds=SEEN.odds,
    objections=(),
    evidence={},
    simulated=True,
    shadow_of=CLIENTS.id,
)
ANSWER = outcome(BESIDE, latency_s=2.5, cost_usd=0.003, response="It is Paris.", input_tokens=41, attempts=())
JUDGED = Feedback(id="fb_2", decision_id=BESIDE.id, at=AT + 90, quality=0.9, source="judge")
RECORDS: tuple[Record, ...] = (CLIENTS, OUTCOME, BESIDE, ANSWER, JUDGED)


@pytest.fixture
def reader(tmp_path: Path) -> LogReader:
    async def main() -> None:
        async with SqliteLog(tmp_path / "log.sqlite") as log:
            await log.append(*RECORDS)

    asyncio.run(main())
    return LogReader(tmp_path / "log.sqlite")


@pytest.fixture
def story(reader: LogReader) -> Story:
    found = reader.decision(CLIENTS.id)
    assert found is not None
    return found


def test_a_decision_comes_with_its_shadows_story(story: Story, reader: LogReader) -> None:
    assert story.shadow == replace(
        story, decision=BESIDE, outcome=ANSWER, feedback=(JUDGED,), shadow=None, seq=2
    )
    assert [s.decision.id for s in reader.stories()] == [CLIENTS.id, BESIDE.id]


def test_both_logs_keep_shadows_with_their_decisions(tmp_path: Path) -> None:
    async def main() -> None:
        memory = MemoryLog()
        await check_log(memory, memory.stories, RECORDS)
        path = tmp_path / "checked.sqlite"
        async with SqliteLog(path) as log:
            await check_log(log, lambda: LogReader(path).stories(), RECORDS)

    asyncio.run(main())


def test_a_beginning_and_last_mean_the_clients_decision(reader: LogReader, tmp_path: Path) -> None:
    for which in ("last", CLIENTS.id[:10], CLIENTS.id):
        found = reader.decision(which)
        assert found is not None
        assert found.decision == CLIENTS
    for which in (BESIDE.id, BESIDE.id[:-1]):
        found = reader.decision(which)
        assert found is not None
        assert found.decision == BESIDE

    async def another() -> None:
        async with SqliteLog(tmp_path / "log.sqlite") as log:
            await log.append(replace(CLIENTS, id=CLIENTS.id[:-4] + "0000"))

    asyncio.run(another())
    with pytest.raises(StoreError, match="More than one"):
        reader.decision(CLIENTS.id[:10])


def test_it_is_explained(story: Story) -> None:
    told = explain(story, zone=UTC)
    assert told.endswith(
        "\n\nPolicy bundle:1a2b was only watched; it would have chosen cloud-simulated "
        "(100 %; expected: quality 0.9 (0.8 to 1)).\n"
        "It was asked, too: that request was answered after 2.50 s.\n"
        "Tokens: 41 in, 10 out. Cost: $0.003000 (by the tokens that were reported; simulated, nobody is "
        f"charged). Its record: {BESIDE.id}\n"
        'Its answer, which no client saw: "It is Paris."'
    )
    assert story.shadow is not None
    own = explain(story.shadow, zone=UTC)
    assert f"This is what a shadow did beside decision {CLIENTS.id}." in own
    assert "no client saw its answer" in own


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ask": False}, "it would have chosen cloud-simulated (100 %"),
        ({"chosen": "smollm2-135m", "ask": False}, "it would have chosen smollm2-135m, too ("),
        ({"chosen": None, "odds": {}, "error": "no such matrix", "ask": False}, "and failed: no such matrix"),
        ({}, "no answer is on record"),
    ],
)
def test_each_end_of_a_shadow_is_told(changes: dict[str, object], said: str) -> None:
    told = explain(
        Story(decision=replace(CLIENTS, shadow=replace(SEEN, **changes)), outcome=OUTCOME), zone=UTC
    )
    assert said in told
    assert ("asked, too" in told) == (changes == {})


@given(strategies.decisions(), st.none() | strategies.outcomes)
def test_nothing_that_is_told_of_a_shadow_can_do_anything_to_a_terminal(
    decided: Decision, ended: Outcome | None
) -> None:
    shadow = replace(SEEN, chosen=HOSTILE, policy=HOSTILE, error=HOSTILE, odds={HOSTILE: 1.0})
    beside = Story(decision=decided, outcome=ended and replace(ended, response=HOSTILE, error=HOSTILE))
    told = explain(Story(decision=replace(decided, shadow=shadow), shadow=beside), zone=UTC)
    assert all(plain(line) == line for line in told.split("\n"))


def test_json_holds_what_the_shadow_answered(story: Story) -> None:
    told = as_json(story)
    assert told["outcome"]["response"] == "Paris."
    assert told["shadow"]["id"] == BESIDE.id
    assert told["shadow"]["chosen"] == "cloud-simulated"
    assert told["shadow"]["forecasts"]["cloud-simulated"]["quality"]["mean"] == 0.9
    assert told["shadow"]["outcome"]["response"] == "It is Paris."
    assert told["shadow"]["feedback"][0]["quality"] == 0.9
    dropped = as_json(Story(decision=CLIENTS, outcome=OUTCOME))
    assert dropped["shadow"]["outcome"] is None
    unasked = as_json(Story(decision=replace(CLIENTS, shadow=replace(SEEN, ask=False))))
    assert "outcome" not in unasked["shadow"]


def test_both_answers_are_rows_and_only_one_was_drawn(reader: LogReader) -> None:
    clients, beside = rows(reader.stories())
    assert list(clients) == list(beside) == list(COLUMNS)
    assert (clients["candidate"], clients["propensity"], clients["shadow_of"]) == ("smollm2-135m", 0.99, None)
    assert (clients["shadow_policy"], clients["shadow_chosen"]) == ("bundle:1a2b", "cloud-simulated")
    assert clients["quality"] is None
    assert (beside["candidate"], beside["propensity"]) == ("cloud-simulated", None)
    assert (beside["shadow_of"], beside["reason"], beside["status"]) == (CLIENTS.id, "shadow", "ok")
    assert (beside["quality"], beside["response"], beside["cost_usd"]) == (0.9, "It is Paris.", 0.003)
    assert beside["prompt"] == clients["prompt"]
