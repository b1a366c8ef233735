"""A candidate that is shown worked examples and votes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from edgewise.domain.errors import UpstreamError, UpstreamUnreachable
from edgewise.domain.requests import Request
from edgewise.gateway.chat_body import chat_of
from edgewise.upstreams.helped import Helped
from edgewise.upstreams.reading import read_plain
from edgewise.upstreams.scripted import Scripted

Replies = list[str | Exception]


def first_letter(prompt: str, answer: str) -> str:
    return answer[:1]


def shown(prompt: str) -> list[tuple[str, str]]:
    return [("1 + 1?", "2")]


def asked(replies: Replies, votes: int, **options: Any) -> tuple[Any, list[Request]]:
    inner = Scripted(replies)
    helped = Helped(inner, first_letter, shown, votes)

    async def run() -> Any:
        answer = await helped.ask(chat_of("2 + 2?", options))
        return answer if isinstance(answer, bytes) else b"".join([piece async for piece in answer])

    return asyncio.run(run()), inner.asked


def text_of(replies: Replies, votes: int) -> str:
    return read_plain(asked(replies, votes)[0]).text


@pytest.mark.parametrize(
    ("replies", "votes", "elected"),
    [
        (["a1"], 1, "a1"),
        (["a1", "b1", "b2"], 3, "b1"),
        (["a1", "b1", "c1", "d1", "e1"], 5, "a1"),
        (["a1", "b1", "c1", "c2", "b2"], 5, "b1"),
        (["", "", "b1"], 3, "b1"),
        (["", "", ""], 3, ""),
        ([UpstreamUnreachable("gone"), "b1", "a1"], 3, "b1"),
        ([UpstreamUnreachable("gone"), UpstreamUnreachable("gone"), "c1"], 3, "c1"),
    ],
)
def test_the_commonest_answer_is_elected_and_of_several_the_first(
    replies: Replies, votes: int, elected: str
) -> None:
    assert text_of(replies, votes) == elected


def test_nobody_else_is_asked_once_more_than_half_agree() -> None:
    assert len(asked(["a1"], 5)[1]) == 3
    assert len(asked(["a1", "b1", "a2", "c1", "a3"], 5)[1]) == 5


def test_it_fails_only_where_every_vote_does() -> None:
    with pytest.raises(UpstreamError, match="gone"):
        asked([UpstreamUnreachable("gone")], 3)


def test_every_vote_is_paid_for() -> None:
    one = read_plain(asked(["a b c"], 1)[0]).usage
    three = read_plain(asked(["a b c", "b b c", "a b c"], 3)[0]).usage
    assert one is not None
    assert three is not None
    assert (three.prompt_tokens, three.completion_tokens) == (
        3 * one.prompt_tokens,
        3 * one.completion_tokens,
    )


def test_votes_differ_in_seed_and_are_warm_and_the_first_is_the_requests_own() -> None:
    bodies = [json.loads(call.body) for call in asked(["a", "b", "c"], 3, temperature=0.1, seed=7, n=4)[1]]
    assert [(body["temperature"], body["seed"]) for body in bodies] == [(0.1, 7), (0.5, 8), (0.5, 9)]
    assert all("n" not in body for body in bodies)


def test_examples_stand_between_the_system_prompt_and_the_question() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    [call] = asked(["4"], 1, messages=messages)[1]
    assert [m["content"] for m in json.loads(call.body)["messages"]] == ["Be brief.", "1 + 1?", "2", "2 + 2?"]


def test_a_conversation_gets_no_examples_and_tools_no_votes() -> None:
    turns = [{"role": role, "content": "hm"} for role in ("user", "assistant", "user")]
    assert json.loads(asked(["4"], 1, messages=turns)[1][0].body)["messages"] == turns
    tool = {"type": "function", "function": {"name": "f"}}
    calls = asked(["4", "5", "6"], 3, tools=[tool])[1]
    assert [json.loads(call.body)["messages"] for call in calls] == [[{"role": "user", "content": "2 + 2?"}]]


def test_a_stream_comes_whole_once_the_vote_is_over() -> None:
    body, calls = asked(["a1", "b1", "b2"], 3, stream=True, stream_options={"include_usage": True})
    assert body.endswith(b"data: [DONE]\n\n")
    assert b'"content":"b1"' in body
    assert [call.stream for call in calls] == [False] * 3
    assert not any("stream" in json.loads(call.body) for call in calls)
