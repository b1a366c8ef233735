"""Edgewise inside a program: the same class, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import edgewise
from edgewise import Candidate, Decision, EdgewiseError, Objection, Odds, Request, Router, Signals, Situation
from edgewise.domain.errors import NoEligibleCandidate
from edgewise.outcomes import LogReader
from edgewise.settings.load import from_tree

EDGE: dict[str, Any] = {"id": "phi", "location": "edge", "script": {"replies": ["It is Paris."]}}
CLOUD: dict[str, Any] = {
    "id": "gpt",
    "location": "cloud",
    "script": {"replies": ["Certainly: Paris."]},
    "price": {"input": 1.0, "output": 2.0},
}

# Without exploration: one prompt in fifty would go to whom the rule did not choose.
BOTH = from_tree({"policy": {"explore": 0.0}, "candidates": [EDGE, CLOUD]}, source="test")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


class Last:
    """Always the last one."""

    name = "last"

    def odds(self, situation: Situation) -> Odds:
        return Odds.certain(situation.shortlist.candidates[-1], situation.shortlist)


class NoCloud:
    """Never the cloud."""

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        del request, signals
        return None if candidate.location == "edge" else Objection(candidate.id, "allow", "It is a cloud")


def test_synchronous(tmp_path: Path) -> None:
    with Router(BOTH) as router:
        reply = router.ask("What is the capital of France?").reply()
        assert reply.text == "It is Paris."
        assert reply.decision.chosen == "phi"
        assert reply.outcome is not None
        assert reply.outcome.status == "ok"
        assert reply.message["role"] == "assistant"
        asking = router.ask("And again?", model="gpt")
        assert list(asking) == ["Certainly:", " Paris."]
        assert asking.decision is not None
        assert asking.decision.chosen == "gpt"
        assert asking.outcome is not None
        assert asking.outcome.cost_usd
        assert isinstance(router.decide("Hello").result(), Decision)
    assert LogReader(tmp_path / "edgewise.sqlite").count() == 2


def test_asynchronous() -> None:
    async def use() -> None:
        async with Router(BOTH) as router:
            assert (await router.ask("What is the capital of France?")).text == "It is Paris."
            assert [words async for words in router.ask("Again?")] == ["It", " is", " Paris."]
            assert (await router.decide("Hello")).chosen == "phi"

    asyncio.run(use())


def test_a_router_of_a_thread_can_be_awaited_too() -> None:
    async def use(router: Router) -> None:
        assert (await router.ask("Hello")).text == "It is Paris."
        assert [words async for words in router.ask("Hello")] == ["It", " is", " Paris."]

    with Router([EDGE]) as router:
        asyncio.run(use(router))


@pytest.mark.parametrize("only", [EDGE, CLOUD])
def test_one_side_is_enough(only: dict[str, Any]) -> None:
    with Router([only]) as router:
        assert "Paris" in router.ask("Hello").reply().text


def test_own_policy_and_own_rule() -> None:
    with Router([EDGE, CLOUD], policy=Last()) as router:
        assert router.ask("Hello").reply().decision.chosen == "gpt"
        assert router.ask("Hello").reply().decision.policy == "last"
    with Router([EDGE, CLOUD], policy=Last(), constraints=[NoCloud()]) as router:
        assert router.ask("Hello").reply().decision.chosen == "phi"


def test_a_conversation_and_its_wishes() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    with Router([EDGE, CLOUD]) as router:
        reply = router.ask([*messages, {"role": "user", "content": "Who?"}], local=True, session="s1").reply()
        assert (reply.decision.privacy, reply.decision.session) == ("local", "s1")
        assert router.ask("Hi", candidates=["gpt"]).reply().decision.chosen == "gpt"
        with pytest.raises(NoEligibleCandidate):
            router.ask("Hi", candidates=["gpt"], local=True).reply()


def test_a_stream_that_is_left_ends_the_call() -> None:
    slow = {**EDGE, "script": {"replies": ["a b c d e f"], "tokens_per_s": 200}}
    with Router([slow]) as router:
        asking = router.ask("Go")
        for words in asking:
            assert words == "a"
            break
        assert router.ask("Go").reply().text == "a b c d e f"


def test_a_file_is_a_source(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[candidates]]\nid = "one"\nlocation = "edge"\nscript = { replies = ["Yes."] }\n')
    with Router(file) as router:
        assert router.ask("Well?").reply().text == "Yes."
        assert [candidate.id for candidate in router.candidates] == ["one"]


def test_what_is_wrong_is_one_sentence() -> None:
    with pytest.raises(EdgewiseError, match=r"candidates\[0\].*location"):
        Router([{"id": "x"}]).__enter__()
    with pytest.raises(EdgewiseError, match="not open"):
        Router([EDGE]).ask("Hi").reply()

    async def mixed() -> None:
        async with Router([EDGE]) as router:
            router.ask("Hi").reply()

    with pytest.raises(EdgewiseError, match="await it instead"):
        asyncio.run(mixed())


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with Router([EDGE]) as router:
        router.ask("Hi").reply()
        list(router.ask("Hi"))
    assert capfd.readouterr() == ("", "")


def test_what_is_offered_is_sorted_and_exists() -> None:
    assert edgewise.__all__ == sorted(edgewise.__all__)
    for name in edgewise.__all__:
        assert getattr(edgewise, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = edgewise.nothing
