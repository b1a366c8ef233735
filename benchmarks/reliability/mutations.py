"""Bytes that are nearly right: seeded mutations of good samples, in the manner of AFL's havoc stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

LONGEST = 20_000
MOST_CHANGES = 8
SCRAPS = (
    *(b"\n\n", b"\n", b"\r\n", b"\r", b"data:", b"data: ", b"data: [DONE]\n\n", b": ping\n\n", b"event: x\n"),
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"\\u006d", b"\x00", b"\xff"),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 40, b"18446744073709551616", b"0.5", b'""'),
    *(b'"model"', b'"model":"x",', b'"mod\\u0065l":"x",', b'"metadata":{"model":"x"},', b'"stream":true,'),
    *(b'"usage":null', b'"usage":{"prompt_tokens":-1}', b'"error":{"message":"no"},', b'"choices":[],'),
    *(
        b'"stream_options":null,',
        b'"stream_options":{},',
        b'"edgewise":{},',
        b'"edgewise":null,',
        b'"tools":0,',
    ),
    *(b'"content":null', b'"content":[]', b'"delta":null', b'"message":null', b'"finish_reason":1'),
    *(b"[" * 400, b'{"a":' * 400, "é𝄞\u2028".encode(), b"\xed\xa0\x80", b" " * 100),
)


def mutated(samples: Sequence[bytes], dice: Random) -> bytes:
    """One of the samples with up to eight changes, of at most 20,000 bytes."""
    found = dice.choice(samples)
    for _ in range(dice.randint(0, MOST_CHANGES)):
        found = dice.choice(CHANGES)(found, dice, samples)
    return found[:LONGEST]


def cut(data: bytes, dice: Random) -> list[bytes]:
    """The same bytes in pieces, as a network might deliver them."""
    edges = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randint(0, 6)))
    return [data[a:b] for a, b in zip([0, *edges], [*edges, len(data)], strict=True)]


def _span(data: bytes, dice: Random) -> tuple[int, int]:
    start = dice.randrange(len(data) + 1)
    return start, min(len(data), start + dice.randint(0, 1 + len(data) // dice.choice((2, 8, 64))))


def _flip(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    del samples
    at = dice.randrange(len(data) + 1)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _leave_out(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    del samples
    start, end = _span(data, dice)
    return data[:start] + data[end:]


def _repeat(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    del samples
    start, end = _span(data, dice)
    return data[:end] + data[start:end] * dice.randint(1, 3) + data[end:]


def _insert(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    del samples
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(SCRAPS) + data[at:]


def _insert_after_a_comma(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    """Where a scrap of JSON has a chance to make sense."""
    places = [at + 1 for at, byte in enumerate(data[:LONGEST]) if byte in b",{["]
    if not places:
        return _insert(data, dice, samples)
    at = dice.choice(places)
    return data[:at] + dice.choice(SCRAPS) + data[at:]


def _graft(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    start, end = _span(data, dice)
    other = dice.choice(samples)
    first, last = _span(other, dice)
    return data[:start] + other[first:last] + data[end:]


def _truncate(data: bytes, dice: Random, samples: Sequence[bytes]) -> bytes:
    del samples
    return data[: dice.randrange(len(data) + 1)]


CHANGES = (_flip, _leave_out, _repeat, _insert, _insert, _insert_after_a_comma, _graft, _truncate)
