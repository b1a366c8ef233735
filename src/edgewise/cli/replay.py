"""`edgewise replay`: what would that policy have earned on the log?"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import out, print_json, table
from edgewise.cli.extras import need_learning
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import log_path
from edgewise.outcomes.reader import LogReader

if TYPE_CHECKING:
    from edgewise.domain.decisions import Estimate
    from edgewise.learning.replay import Replayed

COLUMNS = ("", "the log's policy", "inverse propensity", "self-normalised", "doubly robust", "difference")


def command(
    bundle: Annotated[Path, typer.Argument(help="The folder that `edgewise train` wrote.")],
    *,
    log: Annotated[
        Path | None,
        typer.Option("--log", help="The log's file (default: [store] path of the configuration)."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate it from what was logged, with 95 % intervals; or say why the log cannot tell."""
    need_learning()
    from edgewise.learning.replay import replay  # noqa: PLC0415 - numpy is an extra
    from edgewise.learning.replay.bundles import BundleWishes  # noqa: PLC0415 - the same
    from edgewise.policies.bundles import Bundle  # noqa: PLC0415 - the same

    loaded = Bundle.load(bundle)
    reader = LogReader(log_path(config, log))
    name = f"bundle:{loaded.manifest.version}"
    wishes = BundleWishes(loaded)
    found = replay(
        reader.stories(), wishes, loaded.objective, seen=wishes.seen(), reads=wishes.reads, policy=name
    )
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Replayed) -> None:
    footing = found.footing
    out(f"{found.policy}, objective {found.objective}, on {found.decisions:,} logged decisions")
    for why, count in found.left_out.items():
        out(f"  left out: {count:,}: {why}")
    out(
        f"  {footing.rows:,} can be replayed; effective sample size {footing.effective:,.0f}, "
        f"coverage {footing.coverage:.1%}, agreement with the log's favourite {footing.agreement:.1%}"
    )
    for note in found.notes:
        out(f"  {note}")
    if found.refusal is not None:
        out(f"No estimate: {found.refusal}")
        return
    rows = [
        (name, *(_shown(e) for e in (m.logged, m.ips, m.snips, m.doubly_robust, m.difference)))
        for name, m in found.measures.items()
    ]
    table("What it would have earned (means with 95 % intervals)", COLUMNS, rows)
    main = "utility" if "utility" in found.measures else "quality"
    verdict = "no different from" if found.verdict == "no different" else f"{found.verdict} than"
    out(f"By {main}, {found.policy} is {verdict} what was logged.")


def _shown(estimate: Estimate) -> str:
    """The mean, and below it the interval: a row of these fits a terminal."""
    return f"{estimate.mean:.3g}\n{estimate.low:.3g} to {estimate.high:.3g}"
