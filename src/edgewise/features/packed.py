"""Described prompts as bytes, for the outcome log: what a policy read, so that another can be replayed on it.

One prompt is three lengths (vector, statistics, terms; 32 bits each), then the numbers themselves: 32-bit
floats and integers, little-endian. Nothing is rounded, so that a replay reads what serving read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.features.described import TALK, static_vectors
from edgewise.features.parts import NAMES
from edgewise.features.static.vectors import Described

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    Raises ValueError for what is torn.
    """
    vectors, statistics, terms = [], [], []
    for packed_prompt, version in prompts:
        head = np.frombuffer(packed_prompt, HEAD, 3)
        ends = 12 + 4 * np.cumsum(head)
        if min(head) < 0 or int(ends[-1]) != len(packed_prompt):
            raise ValueError("features in the log are torn")
        vectors.append(np.frombuffer(packed_prompt, FLOAT, int(head[0]), 12))
        said = np.frombuffer(packed_prompt, FLOAT, int(head[1]), int(ends[0]))
        statistics.append(said if version == wanted else said[: -len(NAMES)])
        terms.append(np.frombuffer(packed_prompt, HEAD, int(head[2]), int(ends[1])))
    bounds = np.cumsum([0, *(len(found) for found in terms)]).astype(np.int64)
    return Described(
        np.stack(vectors).astype(np.float32),
        np.stack(statistics).astype(np.float32),
        np.concatenate(terms).astype(np.int32),
        bounds,
    )
