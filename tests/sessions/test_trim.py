"""A conversation cut to a window keeps what it cannot do without, and hangs together."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outcomes.sample import DECISION
from tests.sessions.made import chat

from edgewise.constraints import Capability
from edgewise.domain.candidates import Candidate, Capabilities
from edgewise.domain.errors import NoEligibleCandidate, RequestError
from edgewise.domain.requests import Request
from edgewise.execution import Executor
from edgewise.features import TextFeatures
from edgewise.gateway.chat_body import parse_chat
from edgewise.outcomes import MemoryLog
from edgewise.policies import Fixed
from edgewise.router import Router
from edgewise.sessions import SessionScreen, SessionStore
from edgewise.sessions.trim import SAFE, fitted, for_window, trimmable
from edgewise.upstreams.scripted import Scripted

WORDS = "four score and seven years ago " * 10  # about 78 tokens


def user(text: str = WORDS) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None = WORDS, *calls: str) -> dict[str, Any]:
    made = [{"id": c, "type": "function", "function": {"name": "f", "arguments": "{}"}} for c in calls]
    return {"role": "assistant", "content": text, **({"tool_calls": made} if made else {})}


def tool(call: str, text: str = WORDS) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": text}


SYSTEM = {"role": "system", "content": "Be brief."}


def messages_of(request: Request) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(request.body)["messages"]
    return found


def test_what_fits_is_left_byte_for_byte() -> None:
    request = chat([SYSTEM, user(), assistant(), user("And now?")], max_tokens=10)
    same, left_out = for_window(request, 8000)
    assert same is request
    assert left_out == 0


def test_the_oldest_turns_go_and_the_system_prompt_stays() -> None:
    turns = [message for n in range(10) for message in (user(f"{n} {WORDS}"), assistant())]
    request = chat([SYSTEM, *turns, user("And now?")], max_tokens=50, temperature=0.5, model="auto")
    cut, left_out = for_window(request, 600)
    kept = messages_of(cut)
    assert kept[0] == SYSTEM
    assert kept[-1] == user("And now?")
    assert kept[1]["role"] == "user"
    assert 2 < len(kept) < 22
    assert left_out == 22 - len(kept)
    assert kept[1:] == messages_of(request)[-len(kept) + 1 :]
    assert msgspec.json.decode(cut.body)["temperature"] == 0.5
    assert parse_chat(cut.body, {}).needs.input_tokens <= SAFE * (600 - 50)
    assert cut.needs.input_tokens == pytest.approx(
        parse_chat(cut.body, {}).needs.input_tokens, abs=6
    )  # line breaks between them


def test_a_long_tool_loop_keeps_its_question_and_its_latest_result() -> None:
    loop = [m for n in range(9) for m in (assistant(None, f"c{n}"), tool(f"c{n}"))]
    cut, left_out = for_window(chat([SYSTEM, user("old"), assistant("x"), user("Find it."), *loop]), 500)
    kept = messages_of(cut)
    assert kept[:2] == [SYSTEM, user("Find it.")]
    assert kept[2]["role"] == "assistant"
    assert kept[-1] == tool("c8")
    assert len(kept) < 20
    assert left_out == 22 - len(kept)


def test_the_least_that_stays_is_what_constraints_see() -> None:
    turns = [message for _ in range(30) for message in (user(), assistant())]
    request = trimmable(chat([SYSTEM, *turns, user("And now?")], max_tokens=50))
    small = Candidate("small", "edge", "device", capabilities=Capabilities(context_tokens=300))
    tiny = Candidate("tiny", "edge", "device", capabilities=Capabilities(context_tokens=60))
    assert request.needs.input_tokens > 4000
    assert Capability().objection(request, small, {}) is None
    objection = Capability().objection(request, tiny, {})
    assert objection is not None
    assert "Its context holds 60 tokens, and the request needs about" in objection.sentence
    assert "4000" not in objection.sentence


def test_the_record_says_how_many_were_left_out() -> None:
    request = chat([user(), assistant(), user(), assistant(), user("And now?")], max_tokens=10)
    known = Candidate("small", "edge", "device", capabilities=Capabilities(context_tokens=120))
    decision, cut = fitted(DECISION, known, request)
    assert decision.evidence == {**DECISION.evidence, "messages_left_out": 4.0}
    assert messages_of(cut) == [user("And now?")]
    unknown = Candidate("any", "cloud", "cloud")
    assert fitted(DECISION, unknown, request) == (DECISION, request)


def test_calls_that_nobody_can_tell_apart_are_one_sentence() -> None:
    odd = {"role": "assistant", "content": "x", "tool_calls": [{"id": 3}]}
    body = msgspec.json.encode({"messages": [user("hi"), odd]})
    with pytest.raises(RequestError, match="cannot be trimmed"):
        trimmable(Request("req_1", "hi", "hi", body))


def test_through_the_router_only_where_asked(tmp_path: Any) -> None:
    conversation = [m for _ in range(30) for m in (user(), assistant())] + [user("And now?")]
    small = Candidate("small", "edge", "device", capabilities=Capabilities(context_tokens=400))

    async def main(*, always: bool, trim: bool | None, session: str | None) -> tuple[Request, MemoryLog]:
        answers, log = Scripted(["Fine."]), MemoryLog()
        screen = SessionScreen(SessionStore(tmp_path / "s.sqlite"), trim=always)
        router = Router(
            candidates=(small,),
            featurizer=TextFeatures(),
            constraints=(Capability(),),
            policies={"auto": Fixed("small")},
            executor=Executor({"small": answers}, log),
            keep=lambda text: (text, None),
            screens=(screen,),
        )
        more = {} if trim is None else {"trim": trim}
        try:
            await router.route(chat(conversation, session, **more))
        finally:
            await screen.aclose()
        return answers.asked[0], log

    def goes(*, always: bool = False, trim: bool | None = None, session: str | None = None) -> bool:
        try:
            asked, log = asyncio.run(main(always=always, trim=trim, session=session))
        except NoEligibleCandidate:
            return False
        left_out = log.stories()[0].decision.evidence["messages_left_out"]
        assert len(messages_of(asked)) == 61 - left_out
        assert messages_of(asked)[-1] == user("And now?")
        return True

    assert goes(trim=True)
    assert goes(trim=True, session="one")
    assert goes(always=True, session="one")
    assert not goes()
    assert not goes(session="one")
    assert not goes(always=True)
    assert not goes(always=True, session="one", trim=False)


texts = st.sampled_from(["hi", "some more words here", WORDS])


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns with tool calls, some parallel, some with a word between, some never answered."""
    made: list[dict[str, Any]] = [SYSTEM] if draw(st.booleans()) else []
    number = 0
    for _ in range(draw(st.integers(1, 6))):
        made.append(user(draw(texts)))
        for _ in range(draw(st.integers(0, 3))):
            calls = [f"c{number + n}" for n in range(draw(st.integers(1, 3)))]
            number += len(calls)
            made.append(assistant(None, *calls))
            if draw(st.booleans()):
                made.append(user("still there?"))
            made += [tool(call, draw(texts)) for call in calls if draw(st.integers(0, 4))]
        if draw(st.booleans()):
            made.append(assistant(draw(texts)))
    return made


@given(conversations(), st.integers(20, 3000))
def test_laws(conversation: list[dict[str, Any]], window: int) -> None:
    request = chat(conversation)
    cut, left_out = for_window(request, window)
    kept = messages_of(cut)
    assert len(kept) + left_out == len(conversation)
    remaining = iter(conversation)
    assert all(message in remaining for message in kept), "in order, and unchanged"
    assert kept[-1] == conversation[-1]
    if conversation[0] is SYSTEM:
        assert kept[0] == SYSTEM
    assert any(message["role"] == "user" for message in kept)
    answered = {m["tool_call_id"] for m in conversation if m["role"] == "tool"}
    called = {call["id"] for m in kept for call in m.get("tool_calls", [])}
    results = {m["tool_call_id"] for m in kept if m["role"] == "tool"}
    assert results == called & answered, "a call and its result stay or go together"
    least = trimmable(request).needs.least_tokens
    assert least is not None
    assert least <= request.needs.input_tokens
    again, more = for_window(cut, window)
    assert more == 0 or again.body == cut.body
