"""The meter says the same however the stream was cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers import GOLDEN

from edgewise.upstreams.reading import DONE, MOST_EVENT, Meter, read_plain, words_of

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


LIES = [
    b'{"prompt_tokens":-1,"completion_tokens":2}',
    b'{"prompt_tokens":14,"completion_tokens":99999999999999999999}',
    b'{"prompt_tokens":14,"completion_tokens":"two"}',
    b'{"prompt_tokens":1.5,"completion_tokens":2}',
    b'{"prompt_tokens":14,"completion_tokens":0}',
    b"{}",
    b"[]",
    b'"none of your business"',
]


@pytest.mark.parametrize("lie", LIES)
def test_a_usage_report_that_cannot_be_true_is_none_and_the_answer_stands(lie: bytes) -> None:
    reading = read_plain(b'{"choices":[{"message":{"content":"Paris."}}],"usage":' + lie + b"}")
    assert (reading.text, reading.usage, reading.error) == ("Paris.", None, None)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_usage_does_not_end_a_stream(lie: bytes) -> None:
    event = (
        b'data: {"choices":[{"delta":{"content":"Paris."},"finish_reason":"stop"}],"usage":' + lie + b"}\n\n"
    )
    seen, meter = passed([event, DONE], wants_usage=True)
    assert seen == event + DONE
    assert (meter.usage, meter.error, meter.text()) == (None, None, "Paris.")


def test_an_event_without_an_end_is_not_gathered_for_ever() -> None:
    meter = Meter(wants_usage=False, keep_text=True)
    fed = 0
    while meter.error is None:
        assert meter.feed(b"data: " + 100_000 * b"x") == b""
        fed += 100_006
        assert fed <= MOST_EVENT + 100_006
    assert "more than 4,000,000 bytes" in meter.error
    assert meter.finish() == b""


@pytest.mark.parametrize("page", [b"<html>\n\n</html>\n\n", b'{"choices":[]}\n\n', b"\x00\xff\n\n"])
def test_what_is_no_event_does_not_reach_the_client(page: bytes) -> None:
    seen, meter = passed([page], wants_usage=True)
    assert seen == b""
    assert "not a stream of server-sent events" in (meter.error or "")


@pytest.mark.parametrize("fault", [b"data: {\n\n", b'data: {"error":{"message":"x"}}\n\n'])
def test_an_error_is_not_mended_by_what_follows_in_the_same_piece(fault: bytes) -> None:
    words = b'data: {"choices":[{"delta":{"content":"Par"},"finish_reason":"stop"}]}\n\n'
    seen, meter = passed([words + fault + words + DONE], wants_usage=True)
    assert DONE not in seen
    assert seen.startswith(words)
    assert seen.count(words) == 1
    assert meter.error is not None


def test_what_follows_done_is_no_part_of_the_answer() -> None:
    seen, meter = passed([WHOLE + b"data: {\n\n<html>\n\n"], wants_usage=True)
    assert seen == WHOLE
    assert meter.error is None


def test_events_with_names_comments_and_data_over_two_lines_are_read() -> None:
    stream = (
        b": keep-alive\n\n"
        b'event: message\nid: 1\ndata: {"choices":[{"delta":\ndata: {"content":"Paris."}}]}\n\n'
        b"event: end\ndata: [DONE]\n\n"
    )
    seen, meter = passed([stream], wants_usage=True)
    assert seen == stream.replace(b"event: end\n", b"")
    assert (meter.started, meter.done, meter.error, meter.text()) == (True, True, None, "Paris.")
