"""Splits by prompt: the same prompt never stands on both sides."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.keys import prompt_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SHINGLE = 5
BANDS, ROWS = 16, 4
NEAR = 0.8
MOST_ALIKE = 50  # of texts that share a band, so many are compared

__all__ = ["folds", "leakage", "near_duplicates", "near_within", "prompt_key", "shingles_of"]


def folds(keys: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """(n,) fold numbers, equal for equal keys, balanced, reproducible from the seed alone."""
    unique = sorted(set(keys), key=lambda key: sha256(f"{seed}:{key}".encode()).digest())
    place = {key: number % count for number, key in enumerate(unique)}
    return np.array([place[key] for key in keys], dtype=np.int64)


def leakage(train: Iterable[str], test: Sequence[str]) -> NDArray[np.bool_]:
    """(n_test,) whether a test prompt's key stands in the training part too."""
    known = set(train)
    return np.array([key in known for key in test], dtype=np.bool_)


def near_duplicates(train: Sequence[str], test: Sequence[str]) -> int:
    """How many test prompts nearly equal a training prompt (MinHash over 5-character shingles, Jaccard ≥ .8).

    Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    known = _Index(train)
    return sum(known.near(shingles_of(text)) for text in test)


def near_within(prompts: Sequence[str], keys: Sequence[str]) -> int:
    """How many prompts nearly equal another prompt of the same table that has another key."""
    known = _Index(prompts)
    return sum(known.near(known.shingles[row], keys, key) for row, key in enumerate(keys))


class _Index:
    """Texts by the bands of their MinHash: what nearly equals a text shares a band with it, most likely."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.shingles = [shingles_of(text) for text in texts]
        self._seen: dict[tuple[int, bytes], list[int]] = {}
        for number, shingles in enumerate(self.shingles):
            for band in _bands(shingles):
                self._seen.setdefault(band, []).append(number)

    def near(self, shingles: NDArray[np.uint32], keys: Sequence[str] = (), key: str = "") -> bool:
        """Whether a text nearly equals one of these whose key is another."""
        found = {number for band in _bands(shingles) for number in self._seen.get(band, ())[:MOST_ALIKE]}
        others = (number for number in found if not keys or keys[number] != key)
        return any(_jaccard(shingles, self.shingles[number]) >= NEAR for number in others)


def shingles_of(text: str) -> NDArray[np.uint32]:
    """The hashes of a text's different runs of five bytes, sorted; case and white space do not count."""
    codes = np.frombuffer(" ".join(text.lower().split())[:4000].encode("utf-8", "replace"), dtype=np.uint8)
    if len(codes) < SHINGLE:
        codes = np.pad(codes, (0, SHINGLE - len(codes)))
    windows = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE).astype(np.uint64)
    weights = np.uint64(257) ** np.arange(SHINGLE, dtype=np.uint64)
    mixed = (windows @ weights) * np.uint64(0x9E3779B97F4A7C15)  # 32 good bits of it: half the memory
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _bands(shingles: NDArray[np.uint32]) -> list[tuple[int, bytes]]:
    factors = np.random.default_rng(0).integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
    hashes = (shingles.astype(np.uint64)[:, None] * factors[None, :]).min(axis=0).reshape(BANDS, ROWS)
    return [(number, row.tobytes()) for number, row in enumerate(hashes)]


def _jaccard(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)
