"""`edgewise train`: an outcome table becomes a policy bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path  # noqa: TC003 - Typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, fail, out
from edgewise.cli.extras import need_learning

if TYPE_CHECKING:
    from edgewise.learning.train import Trained

SETTLED = (
    "objective", "features", "learner", "seed", "weight", "floor", "cloud_share", "usd_per_1k", "bandit",
    "sketches",
)  # fmt: skip


def command(  # noqa: PLR0913 - one argument an option
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="The outcome table: CSV, CSV.gz, JSONL or Parquet.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the bundle.")],
    objective: Annotated[
        str | None, typer.Option(help="What a good choice is (default: what the table allows).")
    ] = None,
    features: Annotated[
        str, typer.Option(help="static, minilm, or an embeddings endpoint: http://127.0.0.1:11434/v1#MODEL.")
    ] = "static",
    features_key_env: Annotated[
        str | None,
        typer.Option(help="The environment variable with its key (default: EDGEWISE_FEATURES_KEY)."),
    ] = None,
    learner: Annotated[
        str, typer.Option(help="auto, knn, ridge, trees, mlp, placement-recipe, selection-recipe.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bundle.")] = 0,
    weight: Annotated[
        float, typer.Option(help="quality-at-cost: quality that 1 USD per 1,000 prompts is worth.")
    ] = 0.0,
    floor: Annotated[
        float, typer.Option(help="cheapest- and fastest-at-quality: the quality asked for.")
    ] = 0.8,
    cloud_share: Annotated[
        float | None, typer.Option(help="Share of prompts that may go to the cloud.", min=0, max=1)
    ] = None,
    usd_per_1k: Annotated[float | None, typer.Option(help="Budget in USD per 1,000 prompts.", min=0)] = None,
    edge: Annotated[str, typer.Option(help="The candidates at the edge: ID or A,B.")] = "",
    wide: Annotated[str, typer.Option(help="One row a prompt: edge=edge_qos,cloud=cloud_qos.")] = "",
    columns: Annotated[
        str, typer.Option(help="Other column names: candidate=model_name,quality=score.")
    ] = "",
    quality_scale: Annotated[float, typer.Option(help="The quality of a perfect answer in the table.")] = 1.0,
    bandit: Annotated[
        str, typer.Option(help="How logged choices (`propensity`) are learned from: doubly-robust or ipw.")
    ] = "doubly-robust",
    sketches: Annotated[
        bool, typer.Option(help="Let the bundle carry sketches of its prompts, to find near-duplicates.")
    ] = True,
    extend: Annotated[
        Path | None, typer.Option(help="A bundle to which the table adds candidates; nothing is retrained.")
    ] = None,
) -> None:
    """Train a policy. What it is worth, `edgewise evaluate` says."""
    need_learning()
    from edgewise.learning.tables import layout_of, objective_for, read_table  # noqa: PLC0415 - numpy is an extra
    from edgewise.learning.train import Target, TrainOptions, add_candidates, learn  # noqa: PLC0415 - the same

    if features_key_env is not None:
        from edgewise.features.endpoint.access import use_key_in  # noqa: PLC0415 - few need it

        use_key_in(features_key_env)
    layout = layout_of(columns=columns, wide=wide, quality_scale=quality_scale, edge=edge)
    layout = replace(layout, shareable=_asks_elsewhere(features, extend))
    read = read_table(table, layout, progress=err)
    if extend is not None:
        for name in SETTLED:
            if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE":
                option = name.replace("_", "-")
                fail(f"--{option} was settled when the bundle was trained; it does not go with --extend.")
        _save(add_candidates(extend, read, progress=err), output)
        return
    chosen, note = objective_for(read, objective, weight=weight, floor=floor)
    err(note)
    target = Target(cloud_share, usd_per_1k)
    options = TrainOptions(
        chosen,
        features=features,
        learner=learner,
        seed=seed,
        target=target,
        bandit=bandit,
        sketches=sketches,
    )
    _save(learn(read, options, progress=err), output)


def _asks_elsewhere(features: str, parent: Path | None) -> bool:
    """Whether describing prompts sends them beyond this machine, by these features or by a parent's."""
    from edgewise.features.described import endpoint_in  # noqa: PLC0415 - numpy is an extra
    from edgewise.features.endpoint.names import is_url, stays_on_device  # noqa: PLC0415 - the same
    from edgewise.policies.bundles import Bundle  # noqa: PLC0415 - the same

    if parent is not None:
        identity = endpoint_in(Bundle.load(parent).manifest.features)
        return identity is not None and not stays_on_device(identity.url)
    return is_url(features) and not stays_on_device(features)


def _save(trained: Trained, output: Path) -> None:
    trained.save(output)
    for said in trained.notes:
        err(said)
    manifest = trained.bundle.manifest
    prompts, count = manifest.training.prompts, len(manifest.candidates)
    out(f"{output}: bundle {manifest.version}, {prompts:,} prompts, {count} candidates")
    rows = [(name, *row) for name, head in manifest.heads.items() for row in head.metrics.items()]
    if rows:
        out("How far forecasts are off on held-out prompts:")
    wide = max((len(name) for name, *_ in rows), default=0)
    wider = max((len(whose) for _, whose, _ in rows), default=0)
    for name, whose, found in rows:
        out(f"  {name:<{wide}}  {whose:<{wider}}  MAE {_number(found['mae'])}  R² {_number(found['r2'])}")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
