"""`edgewise feedback`: what an answer was worth, put into the log beside its decision."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import out, print_json
from edgewise.cli.explain import WhichArgument  # noqa: TC001 - Typer reads it at run time
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - the same
from edgewise.cli.stored import PathOption, log_path, story_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.domain.decisions import Feedback


class Thumbs(Enum):
    """Which way the thumb points."""

    up = "up"
    down = "down"


def command(  # noqa: PLR0913 - Typer takes one argument an option
    which: WhichArgument,
    *,
    rating: Annotated[float | None, typer.Option(help="Stars, 1 to 5.")] = None,
    thumbs: Annotated[Thumbs | None, typer.Option(help="`up` or `down`.")] = None,
    quality: Annotated[float | None, typer.Option(help="How good the answer was, 0 to 1.")] = None,
    success: Annotated[float | None, typer.Option(help="What share of the task was done, 0 to 1.")] = None,
    edit_distance: Annotated[
        float | None, typer.Option(help="What share of the answer had to be changed, 0 to 1.")
    ] = None,
    correction: Annotated[
        bool | None, typer.Option("--correction/--no-correction", help="The next message corrected it.")
    ] = None,
    abandoned: Annotated[
        float | None, typer.Option("--abandoned-after", help="Seconds until somebody gave up.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="In words.")] = None,
    source: Annotated[str, typer.Option(help="Who says so.")] = "user",
    config: ConfigOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what an answer was worth. What each option means as a quality is in docs/feedback.md."""
    import asyncio  # noqa: PLC0415 - `--help` needs none of these
    import time  # noqa: PLC0415

    from edgewise.domain.feedback import checked_feedback, quality_of  # noqa: PLC0415
    from edgewise.domain.ids import mint  # noqa: PLC0415

    said = checked_feedback(
        id=mint(),
        decision_id=story_of(which, config, path).decision.id,
        at=time.time(),
        source=source,
        quality=quality,
        success=success,
        rating=rating,
        thumbs=None if thumbs is None else thumbs.value,
        edit_distance=edit_distance,
        correction=correction,
        abandoned_s=abandoned,
        comment=comment,
    )
    asyncio.run(_write(log_path(config, path), said))
    if as_json:
        print_json(said)
        return
    worth = quality_of(said)
    means = "no quality by itself" if worth is None else f"quality {worth:.2f}"
    out(f"Noted for {said.decision_id}: {means}. `edgewise explain {said.decision_id}` shows it.")


async def _write(path: Path, said: Feedback) -> None:
    """Append to the log, beside a gateway that may be writing too."""
    from edgewise.outcomes import SqliteLog  # noqa: PLC0415 - loads SQLite

    async with SqliteLog(path) as log:
        await log.append(said)
