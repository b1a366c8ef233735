"""What prompts looked like when a policy was trained, in deciles, and how far others are from that."""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from edgewise.features.described import static_vectors
from edgewise.features.packed import unpacked
from edgewise.features.parts import parts_of
from edgewise.features.static.statistics import NAMES, WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.outcomes.comparing import Compared

    Floats = NDArray[np.float32]

DECILES: Final = 10
REST: Final = "rest.safetensors"
Source = Literal["the training prompts", "the days before"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Deciles of each text statistic: `edges` (24, 9), and `shares` (24, 10) of `count` prompts between them.

    Ties put more than a tenth into one bin and nothing into the next, so that the shares are kept too.
    """

    edges: Floats
    shares: Floats
    count: int
    source: Source = "the training prompts"

    @classmethod
    def of(cls, statistics: Sequence[Floats] | Floats, source: Source = "the training prompts") -> Reference:
        """What these prompts (n, 24 or more) look like."""
        kept = np.asarray(statistics, np.float32)[:, :WIDTH]
        levels = np.linspace(0.0, 1.0, DECILES + 1)[1:-1]
        edges = np.quantile(kept, levels, axis=0).T.astype(np.float32)
        return cls(edges, _shares(edges, kept), len(kept), source)

    @classmethod
    def load(cls, folder: Path) -> Reference | None:
        """What the bundle in `folder` was trained on; None where it does not say, or cannot be read."""
        try:
            arrays = load_file(folder / REST)
        except (OSError, SafetensorError):
            return None
        return cls.from_arrays(arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Three arrays, as a bundle keeps them."""
        return {
            "reference/edges": self.edges,
            "reference/shares": self.shares,
            "reference/count": np.array(self.count, np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Reference | None:
        """The inverse of `arrays`; None where they are not there."""
        if "reference/edges" not in arrays:
            return None
        edges, shares = arrays["reference/edges"], arrays["reference/shares"]
        return cls(edges, shares, int(arrays["reference/count"]))

    def stability(self, statistics: Sequence[Floats] | Floats) -> dict[str, tuple[float, float]]:
        """Of each statistic the population stability index of other prompts (n, 24), and their mean decile.

        The index is the sum of (p - q) log(p / q) over the bins (Siddiqi 2006). Half a prompt is added to
        each bin, and what chance alone would show is taken off (Yurdakul 2018), so that 0 means no change.
        """
        now = _shares(self.edges, np.asarray(statistics, np.float32)[:, :WIDTH])
        p, q = _smoothed(now, len(statistics)), _smoothed(self.shares, self.count)
        chance = (DECILES - 1) * (1.0 / len(statistics) + 1.0 / max(self.count, 1))
        index = np.maximum(((p - q) * np.log(p / q)).sum(axis=1) - chance, 0.0)
        place = (now - self.shares) @ np.arange(DECILES)
        return {name: (float(index[n]), float(place[n])) for n, name in enumerate(NAMES)}


def statistics_of(row: Compared) -> Floats | None:
    """The text statistics (24,) of a prompt, of its text or as the log keeps them; None where it does not.

    Some 100 µs for a text of usual length.
    """
    if row.prompt is not None:
        return np.asarray(static_vectors().describe([parts_of(row.prompt).main]).statistics[0])
    if row.vector is None:
        return None
    return np.asarray(unpacked([(row.vector, row.vector_version)], row.vector_version).statistics[0, :WIDTH])


def _shares(edges: Floats, statistics: Floats) -> Floats:
    out = np.zeros((WIDTH, DECILES), np.float32)
    for column in range(WIDTH):
        places = np.searchsorted(edges[column], statistics[:, column])
        out[column] = np.bincount(places, minlength=DECILES) / max(len(places), 1)
    return out


def _smoothed(shares: Floats, count: int) -> Floats:
    return np.asarray((shares * count + 0.5) / (count + 0.5 * DECILES), np.float32)
