"""What `train`, `evaluate` and `replay` are told about a table → its layout and its objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.learning.tables.layout import MOST_PROMPTS, Layout
from edgewise.policies.objectives import NEEDS, Measured, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.tables.table import OutcomeTable

NEUTRAL = 5.0  # the criticality of a prompt that has none


def layout_of(
    *,
    columns: str = "",
    wide: str = "",
    quality_scale: float = 1.0,
    edge: str = "",
    most_prompts: int = MOST_PROMPTS,
) -> Layout:
    """The layout behind the options of the same names.

    They read `--columns OURS=THEIRS,…`, `--wide CANDIDATE[.METRIC]=COLUMN,…` and `--edge A,B`.
    Raises `TableError` for what cannot be read.
    """
    if not quality_scale > 0:
        raise TableError(f"--quality-scale must be above 0, found {quality_scale:g}.")
    if most_prompts < 1:
        raise TableError(f"--most-prompts must be at least 1, found {most_prompts}.")
    return Layout(
        columns=_pairs("--columns", columns, "candidate=model_name"),
        wide=_pairs("--wide", wide, "edge=edge_qos,cloud=cloud_qos"),
        quality_scale=quality_scale,
        edge=tuple(part.strip() for part in edge.split(",") if part.strip()),
        most_prompts=most_prompts,
    )


def objective_for(
    table: OutcomeTable, asked: str | None = None, *, weight: float = 0.0, floor: float = 0.8
) -> tuple[Objective, str]:
    """The objective to choose by, and a sentence on it.

    Without `asked`: `reward` where the table has one, `qos` where it has quality and latency, else
    `quality-at-cost`. Raises `TableError` where the table lacks what the objective reads.
    """
    if asked is None:
        asked = "reward" if table.has("reward") else "qos" if _has(table, "qos") else "quality-at-cost"
        why = " (the default for this table)"
    else:
        why = ""
    objective = Objective(name=asked, weight=weight, floor=floor)
    missing = [metric for metric in objective.needs if not _measured(table, metric)]
    if missing:
        raise TableError(
            f"The objective '{asked}' needs `{'`, `'.join(missing)}`, which the table does not have."
        )
    note = f"The objective is {asked}{why}."
    if asked == "quality-at-cost" and (table.costs() is None or weight == 0.0):
        reason = "the table has no costs" if table.costs() is None else "cost has no weight"
        note = f"The objective is {asked}{why}; {reason}, so it ranks by quality alone."
    return objective, note


def utilities(table: OutcomeTable, objective: Objective, *, after: int | None = None) -> NDArray[np.float64]:
    """The (n, m) utility of what was measured, NaN where something it needs was not.

    `after` is the column of a candidate that is always asked first: asking another one then costs and takes
    what both do.
    """
    costs, latency = table.costs(), table.metric("latency_s")
    found = objective.utility(
        Measured(
            quality=table.metric("quality"),
            latency_s=added(latency, after),
            cost_usd=None if costs is None else added(costs, after),
            energy_j=added(table.metric("energy_j"), after),
            reward=table.metric("reward"),
            mission=criticality(table, "mission_criticality")[:, None],
            time=criticality(table, "time_criticality")[:, None],
        )
    )
    return np.asarray(found, dtype=np.float64)


def added(values: NDArray[np.float64], after: int | None) -> NDArray[np.float64]:
    """Costs or latencies (n, m) where the candidate in column `after` is asked first in any case."""
    if after is None:
        return values
    found = values + values[:, after : after + 1]
    found[:, after] = values[:, after]
    return found


def criticality(table: OutcomeTable, name: str) -> NDArray[np.float64]:
    """A prompt's criticality (n,), 0 to 10; the middle where none was given."""
    given = table.criticality.get(name)
    return np.full(len(table), NEUTRAL) if given is None else np.nan_to_num(given, nan=NEUTRAL)


def _has(table: OutcomeTable, objective: str) -> bool:
    return all(_measured(table, metric) for metric in NEEDS[objective])


def _measured(table: OutcomeTable, metric: str) -> bool:
    return table.costs() is not None if metric == "cost_usd" else table.has(metric)


def _pairs(option: str, text: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, column = (piece.strip() for piece in part.partition("="))
        if not (name and sign and column):
            raise TableError(f"{option} takes NAME=COLUMN pairs such as {example}; found '{part}'.")
        if name in found:
            raise TableError(f"{option} names '{name}' twice.")
        found[name] = column
    return found
