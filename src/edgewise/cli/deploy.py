"""`edgewise deploy`: put a bundle in charge, try it first, or undo it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, fail, out, print_json
from edgewise.cli.extras import need_learning
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.learning.deploy import FOLDER, Store
from edgewise.settings import home, load
from edgewise.settings.schema import DEPLOYED

if TYPE_CHECKING:
    from edgewise.learning.deploy import Entry
    from edgewise.learning.deploy.state import State


def command(  # noqa: PLR0913 - one argument an option
    bundle: Annotated[Path | None, typer.Argument(help="The folder that `edgewise train` wrote.")] = None,
    *,
    shadow: Annotated[
        float | None, typer.Option(help="Only watch it, on this share of sessions.", min=0, max=1)
    ] = None,
    canary: Annotated[
        float | None, typer.Option(help="Let it decide for this share of sessions.", min=0, max=1)
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="With --shadow: ask what it would choose, too, and book the cost.")
    ] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Undo the latest step.")] = False,
    status: Annotated[bool, typer.Option("--status", help="What is deployed, and how a trial goes.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a bundle in charge of the gateways that follow this state folder, try it first, or undo it."""
    if sum((bundle is not None, rollback, status)) != 1:
        fail("Give one of: a bundle's folder, --rollback, --status.")
    if bundle is None and (shadow is not None or canary is not None):
        fail("--shadow and --canary try a bundle; give its folder, too.")
    if shadow is not None and canary is not None:
        fail("Give --shadow or --canary, not both.")
    if ask and shadow is None:
        fail("--ask belongs to --shadow; what a canary chooses is asked anyway.")
    need_learning()
    store = Store(home() / FOLDER)
    if status:
        from edgewise.cli.deploy_status import show  # noqa: PLC0415 - loaded when used

        show(store, config, as_json=as_json)
        return
    before = store.state()
    entry = store.rollback() if bundle is None else _step(store, bundle, shadow, canary, ask=ask)
    if as_json:
        print_json(entry)
    else:
        out(_told(entry, before))
    if bundle is not None:
        _warn_unless_followed(config)


def _step(store: Store, bundle: Path, shadow: float | None, canary: float | None, *, ask: bool) -> Entry:
    if shadow is not None:
        return store.attempt(bundle, "shadow", shadow, ask=ask)
    if canary is not None:
        return store.attempt(bundle, "canary", canary)
    return store.promote(bundle)


def _warn_unless_followed(config: Path | None) -> None:
    """Say so where a deployment has no effect on the gateway of this configuration."""
    settings = load(config)
    if not any(policy.bundle == DEPLOYED for policy in (settings.policy, *settings.policies.values())):
        err(
            f"No policy of {config or 'the configuration here'} follows `edgewise deploy` yet: "
            f'write [policy] kind = "bundle" and bundle = "{DEPLOYED}".'
        )


def _told(entry: Entry, before: State) -> str:
    named = f"{entry.version} (bundle {entry.bundle})"
    if entry.mode == "rollback":
        now = (
            f"{named} is in charge"
            if entry.version
            else "no bundle is in charge, the complexity rule decides"
        )
        if before.trial is not None:
            return f"The {before.trial.mode} of {before.trial.version} has ended: {now}, as before it."
        return f"{before.current} has been undone: {now}."
    if entry.mode == "full":
        return f"{named} is in charge."
    if entry.mode == "canary":
        return f"{named} decides for {entry.share:.0%} of the sessions; `deploy --status` compares."
    asks = ", and what it would choose is asked, too" if entry.ask else ""
    return f"{named} is watched on {entry.share:.0%} of the sessions{asks}; `deploy --status` tells."
