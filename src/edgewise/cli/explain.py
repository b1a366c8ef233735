"""`edgewise explain`: a decision in plain sentences."""

from __future__ import annotations

from typing import Annotated

import typer

from edgewise.cli.console import out
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import PathOption, as_text, story_of

WhichArgument = Annotated[
    str, typer.Argument(metavar="ID|last", help="A decision's id, a beginning that only it has, or `last`.")
]


def command(
    which: WhichArgument, *, config: ConfigOption = None, path: PathOption = None, as_json: JsonOption = False
) -> None:
    """Tell who was asked, why, against whom, how it went and what it cost."""
    from edgewise.outcomes.explain import explain  # noqa: PLC0415 - not needed for --json

    story = story_of(which, config, path)
    out(as_text(story) if as_json else explain(story))
