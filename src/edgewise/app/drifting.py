"""The watch over drift, as configured: what the policy in charge was trained on is read from its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError
from edgewise.domain.places import home
from edgewise.learning.deploy import FOLDER, Store
from edgewise.monitors.drift import Drift
from edgewise.settings.schema import DEPLOYED

if TYPE_CHECKING:
    from edgewise.monitors.drift.reference import Reference
    from edgewise.settings import PolicySettings, Settings


def drift_for(settings: Settings) -> Drift:
    """The watch; it looks into the bundle in charge again whenever another one takes over."""
    return Drift(_Trained(settings))


class _Trained:
    """What the bundle that decides by default was trained on; None without one, or where it does not say."""

    def __init__(self, settings: Settings) -> None:
        self._policy = settings.policy
        self._folder: Path | None = None
        self._found: Reference | None = None

    def __call__(self) -> Reference | None:
        folder = in_charge(self._policy)
        if folder != self._folder:
            self._folder, self._found = folder, _read(folder)
        return self._found


def in_charge(policy: PolicySettings) -> Path | None:
    """The folder of the bundle that decides now, under this policy; None where none does."""
    if policy.kind != "bundle" or not policy.bundle:
        return None
    if policy.bundle != DEPLOYED:
        return Path(policy.bundle).expanduser()
    store = Store(home() / FOLDER)
    try:
        current = store.state().current
    except BundleError:
        return None
    return None if current is None else store.folder(current)


def _read(folder: Path | None) -> Reference | None:
    if folder is None:
        return None
    try:
        from edgewise.monitors.drift.reference import Reference  # noqa: PLC0415 - numpy is an extra
    except ImportError:
        return None
    return Reference.load(folder)
