"""A simulated world as an outcome table: what profile and judge would have written."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from edgewise.learning.worlds.prompts import SimulatedPrompt
    from edgewise.learning.worlds.world import World

COLUMNS: Final[tuple[str, ...]] = (
    "prompt",
    "candidate",
    "location",
    "group",
    "quality",
    "latency_s",
    "reward",
    "mission_criticality",
    "time_criticality",
)


def outcome_rows(world: World, prompts: Iterable[SimulatedPrompt]) -> Iterator[dict[str, Any]]:
    """One row for each prompt and candidate; `reward` is the critic's QoS, 0 to 100."""
    for prompt in prompts:
        for candidate, arm in world.arms.items():
            measured = world.measure(prompt, candidate)
            yield {
                "prompt": prompt.text,
                "candidate": candidate,
                "location": arm.location,
                "group": prompt.topic,
                "quality": round(measured.quality, 4),
                "latency_s": round(measured.latency_s, 4),
                "reward": round(measured.qos, 2),
                "mission_criticality": prompt.mission,
                "time_criticality": prompt.time,
            }


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write the table aside and rename it; how many rows it has. Raises TableError where that fails."""
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text.getvalue(), encoding="utf-8", newline="")
        aside.replace(path)
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror}.") from error
    return count
