"""The default featurizer: static token vectors and general text statistics.

A prompt's vector is the weighted sum of its tokens' vectors, scaled to length
one: one gather and one product. The vectors were distilled from MiniLM by
`distill_static_vectors.py`; they are stored as INT4 and held as INT8.
"""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from safetensors import safe_open  # pyright: ignore[reportUnknownVariableType] - a native module

from edgewise.features.static import statistics as text_statistics
from edgewise.features.static.tokens import WordPieces, clip, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BITS: Final = 16
"""Hashed terms fall into 2**BITS buckets."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of `n` texts.

    `vectors` (n, d) have length one (or zero where there is no text),
    `statistics` (n, 24) are raw; `terms` are the hashed unigrams and bigrams
    of all texts one after the other, text i's being
    `terms[bounds[i]:bounds[i + 1]]`.
    """

    vectors: NDArray[np.float32]
    statistics: NDArray[np.float32]
    terms: NDArray[np.int32]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: NDArray[np.intp]) -> Described:
        """The features of some texts, in the order of `rows`."""
        sizes = np.diff(self.bounds)[rows]
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        starts: NDArray[np.int64] = np.repeat(self.bounds[rows] - bounds[:-1], sizes)
        pick = starts + np.arange(int(bounds[-1]))
        return Described(self.vectors[rows], self.statistics[rows], self.terms[pick], bounds)


class StaticVectors:
    """Texts → `Described`; version `name` stands in every bundle."""

    __slots__ = ("_log_ranks", "_pieces", "_rows", "_scales", "name")

    def __init__(
        self, name: str, pieces: WordPieces, rows: NDArray[np.int8], scales: NDArray[np.float32]
    ) -> None:
        self.name = name
        self._pieces = pieces
        self._rows = rows
        self._scales = scales
        self._log_ranks = np.log(2.0 + np.arange(len(rows))).astype(np.float32)

    @classmethod
    def load(cls, array: Path, vocabulary: Path) -> StaticVectors:
        """Read the shipped array (`static.safetensors`) and vocabulary (`vocab.txt`)."""
        opened: Any = safe_open(array, framework="numpy")
        with opened as file:
            nibbles: NDArray[np.uint8] = file.get_tensor("nibbles")
            scales: NDArray[np.float32] = file.get_tensor("scales")
            name: str = file.metadata()["version"]
        rows = np.empty((len(nibbles), nibbles.shape[1] * 2), np.int8)
        rows[:, 0::2] = (nibbles & 15).astype(np.int8) - 8
        rows[:, 1::2] = (nibbles >> 4).astype(np.int8) - 8
        return cls(
            name, WordPieces(vocabulary.read_text(encoding="utf-8").rstrip("\n").split("\n")), rows, scales
        )

    @property
    def dims(self) -> int:
        """Length of one vector."""
        return int(self._rows.shape[1])

    def describe(self, texts: Sequence[str]) -> Described:
        """Features of each text; any Unicode, any length (the middle of very long ones is not read)."""
        vectors = np.zeros((len(texts), self.dims), np.float32)
        statistics = np.zeros((len(texts), text_statistics.WIDTH), np.float32)
        terms: list[NDArray[np.int32]] = []
        for row, text in enumerate(texts):
            clipped = clip(text)
            found = words(clipped)
            numbers = np.array(self._pieces.of_words(found), np.int32)
            statistics[row] = text_statistics.describe(clipped, found, self._log_ranks[numbers])
            terms.append(hashed(numbers))
            if len(numbers):
                vectors[row] = self._vector(numbers)
        bounds = np.concatenate(([0], np.cumsum([len(t) for t in terms]))).astype(np.int64)
        joined = np.concatenate(terms) if terms else np.zeros(0, np.int32)
        return Described(vectors, statistics, joined, bounds)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors alone, (n, d), as `describe` has them."""
        vectors = np.zeros((len(texts), self.dims), np.float32)
        for row, text in enumerate(texts):
            numbers = np.array(self._pieces(text), np.int32)
            if len(numbers):
                vectors[row] = self._vector(numbers)
        return vectors

    def _vector(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        # Not BLAS: its threads would make the last bits depend on how many there are.
        rows = self._rows[numbers].astype(np.float32)
        total: NDArray[np.float32] = np.einsum("i,ij->j", self._scales[numbers], rows)
        size = float(total @ total) ** 0.5
        return total / size if size > 0 else total


def hashed(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Buckets of the tokens and of their neighbouring pairs (Knuth's multiplicative hash)."""
    wide = numbers.astype(np.uint64)
    keys = np.concatenate((wide, wide[:-1] * np.uint64(1000003) + wide[1:] * np.uint64(7919)))
    mixed = (keys * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    return (mixed >> np.uint64(32 - BITS)).astype(np.int32)
