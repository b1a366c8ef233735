"""`edgewise log stats`: the log in numbers, with what was saved against asking the cloud alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import out, print_json, table
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import PathOption, log_path
from edgewise.outcomes.reader import LogReader

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.domain.candidates import Location
    from edgewise.outcomes.statistics import Statistics

HOUR_S = 3600.0


def stats(  # noqa: PLR0913 - one argument an option
    *,
    hours: Annotated[
        float | None, typer.Option(min=0.0, help="Only what was asked in the last so many.")
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Only texts that were labelled, no chats.")
    ] = False,
    cloud_usd: Annotated[
        float | None,
        typer.Option(min=0.0, help="What a query in the cloud costs, instead of the mean that is recorded."),
    ] = None,
    config: ConfigOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who answered where and why, what it cost, and what that saves against asking the cloud alone."""
    from edgewise.outcomes.statistics import statistics  # noqa: PLC0415 - loaded when used

    reader = LogReader(log_path(config, path))
    reader.count()  # where there is no log, that is the answer
    stories = reader.stories() if hours is None else reader.stories(after=time.time() - hours * HOUR_S)
    found = statistics(stories, _places(config), labels_only=labels, cloud_call_usd=cloud_usd)
    if as_json:
        print_json(found)
    else:
        _tell(found, stated=cloud_usd is not None)


def _places(config: Path | None) -> dict[str, Location]:
    """Where the configured candidates stand; the log tells of others."""
    from edgewise.settings import load  # noqa: PLC0415 - loaded when used

    return {candidate.id: candidate.location for candidate in load(config).candidates}


def _tell(found: Statistics, *, stated: bool) -> None:
    rows = [
        ("queries", f"{found.queries:,}"),
        ("answered", f"{found.answered:,}"),
        ("failed, refused", f"{found.failed:,}, {found.refused:,}"),
        ("at the edge", _percent(found.edge_share)),
        ("in the cloud", f"{_percent(found.cloud_share)} ({found.escalated:,} after the edge was asked)"),
        ("cost", f"${found.cost_usd:.6f}{_beside(found)}"),
        ("cost a query", "unknown" if found.usd_per_query is None else f"${found.usd_per_query:.8f}"),
    ]
    if found.latency is not None:
        late = found.latency
        rows.append(("latency", f"mean {late.mean_s:.3f} s, p50 {late.p50_s:.3f} s, p95 {late.p95_s:.3f} s"))
    table("Queries", ("", ""), rows)
    table("Reasons", ("reason", "queries"), [(name, f"{count:,}") for name, count in found.reasons.items()])
    out(_saving(found, stated=stated))


def _beside(found: Statistics) -> str:
    shadows = f", ${found.shadow_usd:.6f} of it for answers that no client saw" if found.shadow_usd else ""
    return shadows + (f", and {found.unpriced:,} queries without a price" if found.unpriced else "")


def _saving(found: Statistics, *, stated: bool) -> str:
    if found.cloud_only_usd is None or found.saved_share is None:
        return (
            "What the cloud alone would cost is not known: no cloud's answer has a cost; state --cloud-usd."
        )
    source = "as stated" if stated else f"the mean of {found.cloud_calls:,} recorded calls"
    most = found.most_saved_share
    limit = "" if most is None else f", of {_percent(most)} that could be"
    return (
        f"The cloud alone would have cost ${found.cloud_only_usd:.6f} (${found.cloud_call_usd:.8f} a query, "
        f"{source}): {found.saved_share:.1%} saved{limit}."
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
