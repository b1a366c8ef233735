"""Ids that we mint ourselves: sortable by time, unguessable, the source of a decision's randomness."""

from __future__ import annotations

import re
from os import urandom
from time import time_ns

PATTERN = re.compile(r"req_[0-9a-f]{32}")


def mint() -> str:
    """`req_`, twelve hexadecimal digits of milliseconds, twenty random ones."""
    return f"req_{time_ns() // 1_000_000:012x}{urandom(10).hex()}"


def is_minted(text: str) -> bool:
    """Whether `text` has the shape of an id of ours."""
    return PATTERN.fullmatch(text) is not None
