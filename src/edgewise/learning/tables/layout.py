"""How a file of outcomes is laid out: which column is what, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PROMPTS = 60_000
# Other names under which the columns are found in the wild; `Layout.columns` adds to these.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("messages", "query", "question", "text"),
    "candidate": ("model", "model_name"),
    "quality": ("quality_score", "score"),
    "response": ("response_text", "answer"),
    "group": ("task", "category"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read.

    `columns` maps our name to the file's. `wide` maps `candidate` or `candidate.metric` to a column of a
    table that has one row a prompt; a bare candidate stands for its reward. `quality_scale` is the
    quality of a perfect answer in the file. `edge` names the candidates at the edge. Of more than
    `most_prompts` prompts a random sample is kept. `shareable` leaves out rows whose column `privacy` says
    anything: their prompts were promised to stay where they were.
    """

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    wide: Mapping[str, str] = field(default_factory=dict[str, str])
    quality_scale: float = 1.0
    edge: tuple[str, ...] = ()
    most_prompts: int = MOST_PROMPTS
    shareable: bool = False
