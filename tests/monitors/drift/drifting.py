"""Answers with forecasts, and what came of them: a log to look for drift in."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Estimate, Feedback, Forecast, Record
from edgewise.domain.ids import mint
from edgewise.outcomes.comparing import Compared
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

NOW = 1_790_000_000.0
PLAIN = "What should I give my sister for her birthday?"
CODE = "Write def add(a, b): in Python.\nIt returns a + b;\n"


def forecast(quality: float = 0.8, latency_s: float = 1.0) -> Forecast:
    return Forecast(
        quality=Estimate(quality, quality - 0.05, quality + 0.05),
        latency_s=Estimate(latency_s, latency_s / 2.0, latency_s * 2.0),
    )


def store(path: Path, *records: Record) -> None:
    """Put records down, all in one commit."""
    connection = connect(path)
    write(connection, [(None, records)])
    connection.close()


def row(**changes: Any) -> Compared:
    given: dict[str, Any] = {
        "at": NOW, "candidate": "phi", "latency_s": 1.0, "input_tokens": 20, "output_tokens": 10,
        "policy": "bundle:one", "reason": "best_utility", "forecast": forecast(), "far": False, "key": None,
        "prompt": PLAIN, "vector": None, "vector_version": "", **changes,
    }  # fmt: skip
    return Compared(**given)


def story(at: float, *, quality: float | None = None, latency_s: float = 1.0, **changes: Any) -> list[Record]:
    """A decision for phi, its outcome, and feedback where a quality is given."""
    made = decision(**{"at": at - 1.0, "chosen": "phi", "forecasts": {"phi": forecast()},
                       "policy": "bundle:one", "prompt": PLAIN, **changes})  # fmt: skip
    found: list[Record] = [made, outcome(made, at=at, latency_s=latency_s)]
    if quality is not None:
        found.append(Feedback(id=mint(), decision_id=made.id, at=at, quality=quality))
    return found


def day(
    count: int, *, at: float, seed: int, quality: float = 0.8, slow: float = 1.0, **changes: Any
) -> list[Record]:
    """Answers that end one a second up to `at`, of this mean quality, so much slower than forecast."""
    draw = random.Random(seed)
    return [
        record
        for n in range(count)
        for record in story(
            at - count + n,
            quality=min(1.0, max(0.0, quality + draw.gauss(0.0, 0.15))),
            latency_s=slow * draw.lognormvariate(0.0, 0.3),
            **changes,
        )
    ]
