"""What reads other people's bytes stands what is nearly right, and the fuzzer finds what does not."""

from __future__ import annotations

from random import Random

import pytest
from benchmarks.reliability.fuzz import kinds, main, tried
from benchmarks.reliability.targets import CHATS, TARGETS, Target, chat

from edgewise.upstreams.reading import Meter

RUNS = 2_500  # seven targets in about five seconds


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_stands_what_is_nearly_right(name: str) -> None:
    finds = list(tried(name, TARGETS[name], 5, range(RUNS)))
    assert not finds, finds[0].told


def test_the_fuzzer_finds_what_is_planted() -> None:
    def planted(data: bytes, dice: Random) -> None:
        if data.endswith(b"}}"):
            raise KeyError(len(data))

    finds = list(tried("planted", Target(CHATS, planted), 5, range(RUNS)))
    assert 0 < len(finds) < RUNS
    (times, first), *_ = kinds(finds)
    assert times == len(finds)
    again = list(tried("planted", Target(CHATS, planted), 5, [first.number]))
    assert [find.data for find in again] == [first.data]


def test_the_command_says_how_much_was_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "20", "--only", "plain", "meter"]) == 0
    said = capsys.readouterr().out
    assert "0 of 40 inputs were not stood" in said


@pytest.mark.parametrize(
    "found",
    [
        b'{"model":"auto","mod\\u0065l":"x","messages":[{"role":"user","content":"Hi"}]}',
        b'{"model":"x","mo\\u0064el":"x","messages":[{"role":"user","content":"Hi"}]}',
        b'{"messages":[{"role":"user","content":"Hi"}],"metadata":{"model":"auto"}}',
    ],
)
def test_a_model_named_in_another_way_goes_nowhere_else(found: bytes) -> None:
    """Found by fuzzing: the name was spliced where the candidate did not read it."""
    chat(found, Random(0))


def test_a_usage_report_with_a_broken_key_ends_the_stream() -> None:
    """Found by fuzzing: a key that is no UTF-8, in the very event that had to be put together again."""
    found = Meter(wants_usage=False, keep_text=True)
    usage = b'"usage":{"prompt_tokens":1,"completion_tokens":1}'
    assert found.feed(b'data: {"\xe6":1,"choices":[{"delta":{}}],%b}\n\n' % usage) == b""
    assert found.error == "The candidate's stream holds an event that is not JSON."
