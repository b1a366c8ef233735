"""A bundle's forecasts for the prompts of a table, without and with a candidate's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.evaluate.baselines import means
from edgewise.learning.train.answers import describe_answers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.policies.bundles import Bundle, Predicted

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """Forecasts (n, m) in the table's order: utility, quality if learned, utility after an answer."""

    value: Floats
    quality: Floats | None
    after: Floats | None


def learned(bundle: Bundle, table: OutcomeTable, features: Described, first: int | None) -> Said:
    """What a bundle forecasts; `first` is the column of the candidate whose answers are read, if any."""
    columns = [bundle.candidates.index(candidate) for candidate in table.candidates]
    plain = bundle.forecast(features)
    quality = plain.metrics.get("quality")
    return Said(
        value=_doubles(plain, columns),
        quality=None if quality is None else quality[:, columns].astype(np.float64),
        after=None if first is None else _after(bundle, table, features, first, columns),
    )


def first_asked(bundle: Bundle, table: OutcomeTable) -> int | None:
    """The column of the candidate that a cascade asks first: the edge, else the least costly, slow or good.

    None where the bundle reads no answer of it, or the table has none.
    """
    readable = [c for c in table.candidates if c in bundle.answers and c in table.responses]
    if not readable:
        return None
    edge = [c for c in readable if c in table.edge()]
    if edge:
        return table.candidates.index(edge[0])
    name = next(name for name in ("latency_s", "quality", "reward") if table.has(name))
    costs = table.costs()
    least = means(table.metric(name) if costs is None else costs, np.inf)
    first = table.candidates[int(least.argmin())]
    return table.candidates.index(first) if first in readable else None


def _after(
    bundle: Bundle, table: OutcomeTable, features: Described, first: int, columns: list[int]
) -> Floats:
    candidate = table.candidates[first]
    texts = table.responses[candidate]
    given = [row for row, text in enumerate(texts) if text]
    if not given:
        return _doubles(bundle.forecast(features), columns)
    rows = np.array(given, dtype=np.intp)
    answered = describe_answers(
        [table.prompts[row] for row in given],
        [texts[row] or "" for row in given],
        bundle.manifest.features,
        features.take(rows),
    )
    return _doubles(bundle.forecast(features, {candidate: (rows, answered)}), columns)


def _doubles(predicted: Predicted, columns: list[int]) -> Floats:
    return predicted.value[:, columns].astype(np.float64)
