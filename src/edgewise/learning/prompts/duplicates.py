"""Which of many prompts are the same, or nearly: in memory that holds numbers, never texts.

Equal keys (`prompt_key`: white space does not count) are duplicates. Near-duplicates share a band of their
sketches (`learning.tables.sketches`) and agree in about 0.8 of it. Who is near to one is near to all that
are near to that one: a group stands on one side of a split as a whole.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np

from edgewise.learning.tables.sketches import BAND, CHANCE, WIDTH, sketch
from edgewise.learning.tables.splits import NEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

AT_ONCE = 16_384  # sketches that are held at a time


def firsts_of(keys: NDArray[np.uint64]) -> Numbers:
    """(n,) for each key the place at which it first stands."""
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    return first[back].astype(np.int64)


def sketched(prompts: Iterable[str], file: IO[bytes]) -> int:
    """Append a sketch of each prompt to a file; how many there are."""
    batch: list[str] = []
    count = 0
    for prompt in prompts:
        batch.append(prompt)
        if len(batch) == AT_ONCE // 16:
            file.write(sketch(batch).tobytes())
            count += len(batch)
            batch.clear()
    file.write(sketch(batch).tobytes())
    file.flush()
    return count + len(batch)


def near_groups(file: IO[bytes], count: int) -> Numbers:
    """(count,) for each sketch in the file the first one of its group of near-duplicates, often itself."""
    leader = np.arange(count, dtype=np.int64)
    for band in range(WIDTH // BAND):
        column = _column(file, count, band)
        order = np.argsort(column, kind="stable")
        alike = np.flatnonzero(column[order[1:]] == column[order[:-1]]) + 1
        for begin in range(0, len(alike), AT_ONCE):
            some = alike[begin : begin + AT_ONCE]
            _join(leader, _near(file, order[some - 1], order[some]))
    return _resolved(leader)


def _column(file: IO[bytes], count: int, band: int) -> NDArray[np.uint32]:
    """(count,) one band of every sketch."""
    out = np.empty(count, np.uint32)
    file.seek(0)
    for begin in range(0, count, AT_ONCE):
        rows = min(AT_ONCE, count - begin)
        block = np.frombuffer(file.read(rows * WIDTH), np.uint32).reshape(rows, WIDTH // BAND)
        out[begin : begin + rows] = block[:, band]
    return out


def _near(file: IO[bytes], one: Numbers, other: Numbers) -> list[tuple[int, int]]:
    """Which of these pairs are near-duplicates."""
    mapped = np.memmap(file, np.uint8, "r").reshape(-1, WIDTH)
    equal = (mapped[one] == mapped[other]).mean(axis=1)
    found = np.flatnonzero((equal - CHANCE) / (1 - CHANCE) >= NEAR)
    return [(int(one[row]), int(other[row])) for row in found]


def _join(leader: Numbers, pairs: list[tuple[int, int]]) -> None:
    for one, other in pairs:
        low, high = sorted((_root(leader, one), _root(leader, other)))
        leader[high] = low


def _root(leader: Numbers, place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = int(leader[place])
    return place


def _resolved(leader: Numbers) -> Numbers:
    """Everybody's first, at once: a leader always stands before those it leads."""
    while not np.array_equal(leader, above := leader[leader]):
        leader = above
    return leader
