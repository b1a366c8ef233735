"""Small sketches of prompts, by which near-duplicates are found without the prompts.

A prompt becomes the least of each of `WIDTH` hashes of its 5-character shingles, of that eight bits: b-bit
minwise hashing. The share of equal numbers tells the Jaccard similarity of two prompts. Source: Li and
König, "b-Bit Minwise Hashing", 2010. No text can be read from a sketch; whoever has a text can tell whether
one like it was sketched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.tables.splits import NEAR, shingles_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Sketches = NDArray[np.uint8]

WIDTH = 128
BAND = 4
CHANCE = 1 / 256  # how often numbers of eight bits agree by themselves
MOST_ALIKE = 50  # of prompts that share a band, so many are compared
MOST = 20_000  # of more prompts those with the lowest keys are sketched: a random sample


def sketch(prompts: Sequence[str], keys: Sequence[str] = ()) -> Sketches:
    """(n, `WIDTH`) one sketch a prompt, the same on every machine; with `keys`, of at most `MOST` of them."""
    if len(keys) > MOST:
        prompts = [prompts[row] for row in sorted(range(len(keys)), key=lambda row: keys[row])[:MOST]]
    factors = np.random.default_rng(0).integers(1, 2**63, WIDTH, dtype=np.uint64) | np.uint64(1)
    out = np.empty((len(prompts), WIDTH), np.uint8)
    for row, prompt in enumerate(prompts):
        hashes = shingles_of(prompt).astype(np.uint64)[:, None] * factors[None, :]
        out[row] = ((hashes.min(axis=0) >> np.uint64(32)) & np.uint64(255)).astype(np.uint8)
    return out


def pooled(*parts: Sketches) -> Sketches:
    """Sketches without repetition, in an order of their own: neither order nor number of prompts is told."""
    return np.unique(np.concatenate([part.reshape(-1, WIDTH) for part in parts]), axis=0)[:MOST]


def near(known: Sketches, asked: Sketches) -> NDArray[np.bool_]:
    """(m,) which of `asked` (m, w) nearly equal one of `known` (n, w): Jaccard of about .8 or more."""
    found = np.zeros(len(asked), np.bool_)
    if not len(known):
        return found
    bands, wanted = (np.ascontiguousarray(part).view(np.uint32) for part in (known, asked))
    for band in range(WIDTH // BAND):
        order = np.argsort(bands[:, band], kind="stable")
        sorted_ = bands[order, band]
        first, last = (np.searchsorted(sorted_, wanted[:, band], side=side) for side in ("left", "right"))
        for row in np.flatnonzero((last > first) & ~found):
            rows = order[first[row] : min(last[row], first[row] + MOST_ALIKE)]
            equal = (known[rows] == asked[row]).mean(axis=1).max()
            found[row] = (equal - CHANCE) / (1 - CHANCE) >= NEAR
    return found
