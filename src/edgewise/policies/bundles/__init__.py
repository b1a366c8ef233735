"""A policy on disk: `policy.json` and arrays, every file under its hash. No pickle, ever."""

from __future__ import annotations

from edgewise.policies.bundles.bundle import Bundle, Predicted
from edgewise.policies.bundles.learned import Learned
from edgewise.policies.bundles.manifest import MANIFEST, Manifest, read_manifest

__all__ = ["MANIFEST", "Bundle", "Learned", "Manifest", "Predicted", "read_manifest"]
