"""Ids that we mint ourselves: sortable by time, unguessable, the source of a decision's randomness."""

from __future__ import annotations

import re
from hashlib import blake2b
from os import urandom
from time import time_ns

PATTERN = re.compile(r"req_[0-9a-f]{32}")


RANDOM_DIGITS = 20
_pool: list[str] = []


def mint() -> str:
    """`req_`, twelve hexadecimal digits of milliseconds, twenty random ones."""
    try:
        random = _pool.pop()
    except IndexError:  # asking the kernel for many at once costs a tenth of asking for each
        drawn = urandom(5120).hex()
        _pool.extend(drawn[i : i + RANDOM_DIGITS] for i in range(0, len(drawn), RANDOM_DIGITS))
        random = _pool.pop()
    return f"req_{time_ns() // 1_000_000:012x}{random}"


def shadow_id(decision_id: str) -> str:
    """The id under which that decision's shadow answers, where it is asked: always the same one.

    It has the shape of a minted id, and its milliseconds.
    """
    digest = blake2b(decision_id.encode("utf-8", "surrogatepass"), digest_size=RANDOM_DIGITS // 2)
    return decision_id[:-RANDOM_DIGITS] + digest.hexdigest()


def is_minted(text: str) -> bool:
    """Whether `text` has the shape of an id of ours."""
    return PATTERN.fullmatch(text) is not None
