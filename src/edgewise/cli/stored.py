"""What the commands that look into the outcome log share: find the file, find the decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from edgewise.domain.errors import StoreError
from edgewise.domain.stories import as_json
from edgewise.outcomes.plain import plain, plain_json
from edgewise.outcomes.reader import LAST, LogReader
from edgewise.settings import home, load

if TYPE_CHECKING:
    from edgewise.domain.stories import Story

PathOption = Annotated[
    Path | None, typer.Option("--path", help="The log's file (default: [store] path of the configuration).")
]


def log_path(config: Path | None, path: Path | None) -> Path:
    """Where the log lies."""
    return path or home() / load(config).store.path


def story_of(which: str, config: Path | None, path: Path | None) -> Story:
    """The decision that is meant. Raises StoreError where there is none."""
    reader = LogReader(log_path(config, path))
    story = reader.decision(which)
    if story is not None:
        return story
    if which == LAST:
        raise StoreError(f"The outcome log {reader.path} holds no decision yet.")
    raise StoreError(
        f"There is no decision '{plain(which)[:100]}' in {reader.path}; `log tail` lists the latest."
    )


def as_text(story: Story) -> str:
    """The story as indented JSON, in the shape of `GET /v1/decisions/{id}`, safe for a terminal."""
    return plain_json(msgspec.json.format(msgspec.json.encode(as_json(story)), indent=2).decode())
