"""A policy on disk: `policy.json` and arrays, every file under its hash. No pickle, ever.

What reads a manifest alone needs no numpy: whatever does is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgewise.policies.bundles.manifest import MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from edgewise.policies.bundles.bundle import Bundle, Predicted
    from edgewise.policies.bundles.learned import Learned

__all__ = ["MANIFEST", "Bundle", "Learned", "Manifest", "Predicted", "read_manifest"]
HOMES = {"Bundle": "bundle", "Predicted": "bundle", "Learned": "learned"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
