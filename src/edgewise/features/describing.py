"""Prompts → `Described`: text statistics and terms of the question, vectors of question and context."""

# numpy leaves some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from edgewise.features.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edgewise.features.parts import Parts
    from edgewise.features.static.vectors import Described, StaticVectors

    Floats = NDArray[np.float32]
    Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class Describer:
    """Texts → `Described`, one row a prompt; a prompt may be a conversation in its written form.

    `embed` makes the vectors (n, d) of texts, each of length one; without it they are the static ones.
    `talk` adds numbers about the conversation as a whole (`parts.NAMES`) to the statistics.
    """

    static: StaticVectors
    embed: Embed | None = None
    talk: bool = False

    def __call__(self, prompts: Sequence[str]) -> Described:
        """Describe prompts as tables and lines hold them. May block on what makes the vectors."""
        return self.of([parts_of(prompt) for prompt in prompts])

    def of(self, parts: Sequence[Parts]) -> Described:
        """Describe prompts that have been taken apart."""
        if self.embed is None:
            return self.joined(parts, None)
        return self.joined(parts, self.embed(texts_of(parts)))

    def joined(self, parts: Sequence[Parts], vectors: Floats | None) -> Described:
        """The same with the vectors (one row for each of `texts_of`) made already; None: static ones."""
        found = self.static.describe([part.main for part in parts])
        if self.talk:
            whole = np.array([part.whole for part in parts], np.float32).reshape(len(parts), -1)
            found = replace(found, statistics=np.hstack((found.statistics, whole)))
        if vectors is not None:
            return replace(found, vectors=_weighed(parts, vectors))
        for row, part in enumerate(parts):
            if part.context:
                context = self.static.embed([text for text, _ in part.context])
                found.vectors[row] = _turned(found.vectors[row], context, part)
        return found


def texts_of(parts: Sequence[Parts]) -> list[str]:
    """Every text that a vector is needed of, in the order of `joined`."""
    return list(chain.from_iterable(part.texts for part in parts))


def _weighed(parts: Sequence[Parts], vectors: Floats) -> Floats:
    """One vector a prompt out of one a text."""
    starts = np.cumsum([0, *(1 + len(part.context) for part in parts)])
    found: Floats = vectors[starts[:-1]]
    for row, part in enumerate(parts):
        if part.context:
            found[row] = _turned(found[row], vectors[starts[row] + 1 : starts[row + 1]], part)
    return found


def _turned(main: Floats, context: Floats, part: Parts) -> Floats:
    """The question's vector, turned a little towards its context; of length one."""
    weights = np.array([weight for _, weight in part.context], np.float32)
    total: Floats = main + np.einsum("i,ij->j", weights, context)
    size = float(total @ total) ** 0.5
    return np.asarray(total / (size or 1.0), np.float32)
