"""A bundle as the policy to replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewise.features.described import describer
from edgewise.features.packed import readable, unpacked
from edgewise.learning.replay.report import Wishes
from edgewise.learning.tables.splits import prompt_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.replay.rows import Asked
    from edgewise.policies.bundles import Bundle, Predicted

    Floats = NDArray[np.float64]

BATCH = 2048
FORESEEN = ("quality", "latency_s", "cost_usd")


@dataclass(frozen=True, slots=True)
class BundleWishes:
    """What the bundle would choose of each prompt's own shortlist, as it does when it serves.

    A candidate that it has never seen is chosen only where nobody else was offered, and then the first.
    """

    bundle: Bundle

    def __call__(
        self, asked: Sequence[Asked], candidates: Sequence[str], offered: NDArray[np.bool_]
    ) -> Wishes:
        """All the weight of each row on the highest utility."""
        odds = np.zeros(offered.shape)
        forecasts: dict[str, Floats] = {}
        criticality = np.full((len(asked), 2), np.nan)
        logged = [row for row, one in enumerate(asked) if one.vector is not None]
        others = [row for row, one in enumerate(asked) if one.vector is None]
        for rows in (*_batches(logged), *_batches(others)):
            described = self._described([asked[row] for row in rows])
            predicted = self.bundle.forecast(described)
            spread = {name: self._spread(found, candidates) for name, found in _foreseen(predicted).items()}
            odds[rows, _best(spread["utility"], offered[rows])] = 1.0
            for name, values in spread.items():
                forecasts.setdefault(name, np.full(offered.shape, np.nan))[rows] = values
            if self.bundle.criticality is not None:
                criticality[rows] = self.bundle.criticality.predict(described).clip(0.0, 10.0)
        foreseen = None if self.bundle.criticality is None else criticality
        return Wishes(odds, forecasts, foreseen, len(logged))

    def reads(self, version: str) -> bool:
        """Whether the bundle can read logged features of that version."""
        return readable(version, self.bundle.manifest.features)

    def _described(self, asked: Sequence[Asked]) -> Described:
        """From the logged features where they all have some, else from the texts."""
        wanted = self.bundle.manifest.features
        vectors = [(one.vector, one.vector_version) for one in asked if one.vector is not None]
        return unpacked(vectors, wanted) if vectors else describer(wanted)([one.text or "" for one in asked])

    def seen(self) -> Callable[[str], bool]:
        """Says of a prompt whether the bundle was trained on it."""
        known = set(self.bundle.keys.tolist())
        return lambda prompt: int(prompt_key(prompt)[:16], 16) in known

    def _spread(self, found: NDArray[np.floating], candidates: Sequence[str]) -> Floats:
        """(n, m) for the log's candidates, NaN for those that the bundle does not know."""
        place = {name: column for column, name in enumerate(self.bundle.candidates)}
        out = np.full((len(found), len(candidates)), np.nan)
        for column, name in enumerate(candidates):
            if name in place:
                out[:, column] = found[:, place[name]]
        return out


def _batches(rows: list[int]) -> list[list[int]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def _foreseen(predicted: Predicted) -> Mapping[str, NDArray[np.floating]]:
    known = {name: predicted.metrics[name] for name in FORESEEN if name in predicted.metrics}
    return {"utility": predicted.value, **known}


def _best(utility: Floats, offered: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(n,) the column of the highest known utility among those offered, else the first offered."""
    known = np.where(offered & ~np.isnan(utility), utility, -np.inf)
    best: NDArray[np.intp] = known.argmax(axis=1)
    strangers = np.isneginf(known).all(axis=1)
    best[strangers] = offered[strangers].argmax(axis=1)
    return best
