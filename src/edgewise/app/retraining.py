"""How a candidate is trained when drift begins, as configured: the commands, and where they work."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.app.drifting import in_charge
from edgewise.domain.errors import BundleError
from edgewise.domain.places import home
from edgewise.monitors.production.retraining import BUNDLE, Retraining
from edgewise.policies.bundles.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.settings import Settings

TABLE = "outcomes.csv.gz"


def retraining_for(settings: Settings) -> Retraining | None:
    """Who trains a candidate when drift begins; None unless `[monitor] retrain` names a folder."""
    if settings.monitor.retrain is None:
        return None
    secret = settings.monitor.secret_env
    return Retraining(
        home() / Path(settings.monitor.retrain).expanduser(),
        partial(steps, settings),
        () if secret is None else (secret,),
    )


def steps(settings: Settings, folder: Path) -> Sequence[Sequence[str]]:
    """Export the log, then train on it: as `[objective]` says, with the features of what is in charge."""
    edgewise = (sys.executable, "-m", "edgewise.cli")
    table, log = str(folder / TABLE), str(home() / settings.store.path)
    return (
        (*edgewise, "log", "export", "--path", log, "-o", table),
        (*edgewise, "train", table, "-o", str(folder / BUNDLE), *_options(settings)),
    )


def _options(settings: Settings) -> list[str]:
    objective = settings.objective
    given = {
        "--objective": objective.name,
        "--weight": objective.weight,
        "--floor": objective.floor,
        "--cloud-share": objective.cloud_share,
        "--usd-per-1k": objective.usd_per_1k,
        "--edge": ",".join(c.id for c in settings.candidates if c.location == "edge") or None,
        "--features": _features(settings),
    }
    return [word for option, value in given.items() if value is not None for word in (option, str(value))]


def _features(settings: Settings) -> str | None:
    """Those of the bundle in charge: a trial compares only what reads the same."""
    folder = in_charge(settings.policy)
    if folder is None:
        return None
    try:
        return read_manifest(folder).features
    except BundleError:
        return None
