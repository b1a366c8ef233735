"""Write the shipped prompts, one file a task.

    python -m scripts.shipped_prompts

The texts stand in the modules beside this one; the numbers of the tables come from a seed, and what the
functions return from the reference solutions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.shipped_prompts import arithmetic, classification, code, extraction, formatting, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "src/edgewise/learning/graders/shipped"
TASKS = {
    "arithmetic": arithmetic.rows,
    "classification": classification.rows,
    "code": code.rows,
    "extraction": extraction.rows,
    "formatting": formatting.rows,
    "lookup": lookup.rows,
}


def lines(task: str) -> Iterator[str]:
    """The lines of a task's file."""
    for number, row in enumerate(TASKS[task]()):
        named = {"prompt": row.pop("prompt"), "group": task, **row}
        named |= {"source": "edgewise", "name": f"{task}-{number + 1:02}"}
        yield json.dumps(named, ensure_ascii=False)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        (FOLDER / f"{task}.jsonl").write_text("\n".join(lines(task)) + "\n", encoding="utf-8")
