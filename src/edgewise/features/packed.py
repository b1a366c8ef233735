"""Described prompts as bytes, for the outcome log: what a policy read, so that another can be replayed on it.

One prompt is three lengths (vector, statistics, terms; 32 bits each), then the numbers themselves: 32-bit
floats and integers, little-endian. Nothing is rounded, so that a replay reads what serving read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import StoreError
from edgewise.features.described import TALK, static_vectors
from edgewise.features.parts import NAMES
from edgewise.features.static.vectors import Described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewise.domain.requests import Features

HEAD = np.dtype("<i4")
FLOAT = np.dtype("<f4")


def kept(features: Features) -> bytes | None:
    """What the log keeps of a request's features: nothing where no policy needed a vector."""
    return None if features.vector is None else packed(features.vector)


def widest() -> str:
    """The version that bundles of the default features can read, whether trained on conversations or not.

    Raises `MissingExtra` without the extra `learn`.
    """
    return static_vectors().name + TALK


def packed(described: Described) -> bytes:
    """The first (and, in serving, only) row."""
    terms = described.terms[: int(described.bounds[1])]
    vector, statistics = described.vectors[0], described.statistics[0]
    head = np.array([len(vector), len(statistics), len(terms)], HEAD)
    return b"".join(
        (head.tobytes(), vector.astype(FLOAT).tobytes(), statistics.astype(FLOAT).tobytes(),
         terms.astype(HEAD).tobytes())
    )  # fmt: skip


def readable(version: str, wanted: str) -> bool:
    """Whether what was packed under `version` holds all that the features `wanted` do."""
    return version in (wanted, wanted + TALK)


def unpacked(prompts: Sequence[tuple[bytes, str]], wanted: str) -> Described:
    """Prompts that were packed under these versions as the features `wanted`; see `readable`.

    Raises `StoreError` for what is torn.
    """
    vectors: list[NDArray[np.float32]] = []
    statistics: list[NDArray[np.float32]] = []
    terms: list[NDArray[np.int32]] = []
    for row, version in prompts:
        head = np.frombuffer(row[:12].ljust(12, b"\xff"), HEAD, 3)  # too short: a length of -1
        ends = 12 + 4 * np.cumsum(head)
        if min(head) < 0 or int(ends[-1]) != len(row):
            raise StoreError("The outcome log holds features of a prompt that are torn; it is damaged.")
        vectors.append(np.frombuffer(row, FLOAT, int(head[0]), 12).astype(np.float32))
        said = np.frombuffer(row, FLOAT, int(head[1]), int(ends[0])).astype(np.float32)
        statistics.append(said if version == wanted else said[: -len(NAMES)])
        terms.append(np.frombuffer(row, HEAD, int(head[2]), int(ends[1])).astype(np.int32))
    bounds = np.cumsum([0, *(len(found) for found in terms)]).astype(np.int64)
    return Described(
        np.stack(vectors),
        np.stack(statistics),
        np.concatenate(terms),
        bounds,
    )
