"""The meter says the same however the stream was cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers import GOLDEN

from edgewise.upstreams.reading import DONE, Meter, read_plain, words_of

WHOLE = (GOLDEN / "openai_stream.sse").read_bytes()
STRIPPED = (GOLDEN / "openai_stream_without_usage.sse").read_bytes()


def passed(pieces: list[bytes], *, wants_usage: bool) -> tuple[bytes, Meter]:
    meter = Meter(wants_usage=wants_usage, keep_text=True)
    seen = b"".join([meter.feed(piece) for piece in pieces])
    return seen + meter.finish(), meter


@given(st.lists(st.integers(0, len(WHOLE)), max_size=12), st.booleans(), st.booleans())
def test_cuts_do_not_matter(cuts: list[int], wants_usage: bool, crlf: bool) -> None:
    edges = [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in pairwise(edges)]
    if crlf:
        pieces = [piece.replace(b"\n", b"\r\n") for piece in pieces]
    seen, meter = passed(pieces, wants_usage=wants_usage)
    assert seen == (WHOLE if wants_usage else STRIPPED)
    assert meter.text() == "Paris."
    assert meter.usage is not None
    assert (meter.usage.prompt_tokens, meter.usage.completion_tokens) == (14, 2)
    assert meter.done


@given(st.binary(max_size=200))
def test_garbage_never_raises(garbage: bytes) -> None:
    meter = Meter(wants_usage=False, keep_text=True)
    meter.feed(b"data: " + garbage + b"\n\n")
    meter.finish()
    meter.text()


def test_a_stream_without_done_but_with_a_finish_reason_is_whole() -> None:
    seen, meter = passed([WHOLE.removesuffix(DONE)], wants_usage=True)
    assert seen == WHOLE
    assert meter.error is None


def test_a_stream_that_breaks_off_has_no_end() -> None:
    seen, _ = passed([WHOLE[:200]], wants_usage=True)
    assert not seen.endswith(DONE)


def test_the_first_event_without_words_is_no_first_content() -> None:
    meter = Meter(wants_usage=True, keep_text=False)
    events = WHOLE.split(b"\n\n")
    meter.feed(events[0] + b"\n\n")
    assert not meter.started
    meter.feed(events[1] + b"\n\n")
    assert meter.started


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"<html>", "not a JSON"), (b'{"error":{"message":"x"}}', "inside a 200"),
     (b'{"choices":[]}', "no choices"),
     (b'{"choices":"x"}', "not a JSON")],
)  # fmt: skip
def test_plain_answers_that_are_none(body: bytes, error: str) -> None:
    assert error in (read_plain(body).error or "")


def test_words() -> None:
    assert words_of(WHOLE) == "Paris."
