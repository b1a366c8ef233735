from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.labels import Said
from edgewise.domain.requests import Request
from edgewise.upstreams.classifier.chosen import label_in
from edgewise.upstreams.classifier.remote import shares
from edgewise.upstreams.classifier.together import Together
from edgewise.upstreams.labels import label_body, read_label
from edgewise.upstreams.reading import Usage

LABELS = ("card", "card arrival", "lost or stolen", "Top-up")


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.floats(0, 0.1), max_size=9
    ),
    st.none() | st.floats(-1e6, 1e6),
    st.integers(1, 10_000),
)
def test_what_is_written_is_read(found: dict[str, float], strange: float | None, tokens: int) -> None:
    said = Said(next(iter(found), "x"), found, strange)
    reading = read_label(label_body(said, tokens))
    assert (reading.said, reading.text, reading.error) == (said, said.label, None)
    assert reading.usage == Usage(tokens, 0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "is not a JSON classification"),
        (b'{"choices": []}', "has 0 labels for one text"),
        (b'{"data": [{"label": "a"}, {"label": "b"}]}', "has 2 labels for one text"),
        (b'{"data": [{"label": ""}]}', "named no label"),
        (b'{"data": [{"label": "a", "probabilities": {"b": 1.0}}]}', "no probability for the label"),
        (b'{"data": [{"label": "a", "probabilities": {"a": 1.5}}]}', "a probability that is none"),
        (b'{"data": [{"label": "a", "probabilities": {"a": 0.9, "b": 0.9}}]}', "of more than 1 together"),
    ],
)
def test_what_no_classifier_can_say_is_an_error(body: bytes, said: str) -> None:
    reading = read_label(body)
    assert reading.said is None
    assert said in (reading.error or "")


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ('{"label": "card arrival"}', "card arrival"),
        ('```json\n{"label": "TOP-UP"}\n```', "Top-up"),
        ("Lost  or\nstolen.", "lost or stolen"),
        ("The label is `card arrival`.", "card arrival"),  # and not the card in it
        ("card or top-up, I cannot say", None),
        ("discard", None),
        ('{"label": "something else"}', None),
        ("", None),
    ],
)
def test_the_label_that_a_reply_names(reply: str, label: str | None) -> None:
    assert label_in(reply, LABELS) == label


@given(st.integers(0, 10**6), st.integers(1, 100))
def test_shares_add_up(total: int, count: int) -> None:
    found = shares(total, count)
    assert (sum(found), len(found)) == (total, count)
    assert max(found) - min(found) <= 1


def request(text: str) -> Request:
    return Request(text, text, text, b"{}")


def test_who_asks_at_the_same_time_is_answered_together_and_each_with_its_own() -> None:
    runs: list[list[str]] = []

    async def run(requests: Sequence[Request]) -> Sequence[bytes | Exception]:
        runs.append([one.prompt for one in requests])
        await asyncio.sleep(0)
        return [ValueError(one.prompt) if one.prompt == "4" else one.prompt.encode() for one in requests]

    async def ask() -> list[bytes | BaseException]:
        together = Together(run, most=3)
        return await asyncio.gather(
            *(together.ask(request(str(n))) for n in range(8)), return_exceptions=True
        )

    found = asyncio.run(ask())
    assert runs == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]
    assert [one if isinstance(one, bytes) else str(one).encode() for one in found] == [
        str(n).encode() for n in range(8)
    ]
    assert isinstance(found[4], ValueError)


def test_a_run_is_given_up_once_nobody_waits_for_it_and_not_before() -> None:
    async def main() -> list[str]:
        began, told = asyncio.Event(), list[str]()

        async def run(requests: Sequence[Request]) -> Sequence[bytes]:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append("given up")
                raise
            return [b""] * len(requests)

        together = Together(run, most=2)
        asking = [asyncio.ensure_future(together.ask(request(str(n)))) for n in range(2)]
        await began.wait()
        asking[0].cancel()
        await asyncio.gather(asking[0], return_exceptions=True)
        told.append("one has gone")
        asking[1].cancel()
        await asyncio.gather(asking[1], return_exceptions=True)
        await together.aclose()
        return told

    assert asyncio.run(main()) == ["one has gone", "given up"]


def test_a_run_that_fails_fails_for_all_in_it_and_the_next_one_begins() -> None:
    async def run(requests: Sequence[Request]) -> Sequence[bytes]:
        if requests[0].prompt == "0":
            raise ValueError("torn")
        return [json.dumps(one.prompt).encode() for one in requests]

    async def main() -> list[bytes | BaseException]:
        together = Together(run, most=2)
        return await asyncio.gather(
            *(together.ask(request(str(n))) for n in range(4)), return_exceptions=True
        )

    first, second, *others = asyncio.run(main())
    assert str(first) == str(second) == "torn"
    assert others == [b'"2"', b'"3"']
