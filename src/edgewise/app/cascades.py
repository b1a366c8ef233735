"""Bundles as policies, and the cascades around them: what reads an edge's answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewise.app.classifiers import folder_of
from edgewise.domain.errors import BundleError, SettingsError
from edgewise.features.described import endpoint_in
from edgewise.learning.deploy import learned
from edgewise.policies import make
from edgewise.policies.cascade.configured import configured
from edgewise.policies.cascade.placing import FILE, Placing, Promise, read_placing
from edgewise.policies.lots import features_of
from edgewise.policies.otherwise import Otherwise
from edgewise.settings.cascade import CASCADE
from edgewise.settings.schema import PolicySettings
from edgewise.upstreams.classifier.manifest import MANIFEST, read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.protocols import Policy
    from edgewise.policies.cascade.policy import Cascade
    from edgewise.settings import CandidateSettings, Settings


def cascade_for(
    settings: PolicySettings, candidates: Sequence[CandidateSettings], section: str = "policy"
) -> Cascade:
    """The configured cascade: words are read by its bundle, labels by what each classifier's bundle learned.

    Without a bundle the complexity of the prompt decides about words. Raises `SettingsError`, `BundleError`.
    """
    inner = make("complexity", options=settings.options, section=section)
    if settings.bundle is not None:
        inner = reader(settings.bundle)
        _check_reading(inner, settings, section)
    return configured(settings, inner, placings(candidates), section)


def _check_reading(policy: Policy, settings: PolicySettings, section: str) -> None:
    """Raise `SettingsError` where a bundle cannot do what a cascade wants of it."""
    found = policy.inner if isinstance(policy, Otherwise) else policy
    bundle: Any = getattr(found, "bundle", None)
    if bundle is None or not bundle.answers:
        raise SettingsError(
            f"{section}.bundle has not learned to read answers; train it on a table with `response`."
        )
    if settings.cascade is not None and settings.cascade.confidence is not None and not bundle.reads_quality:
        raise SettingsError(
            f"{section}.cascade.confidence needs forecasts of quality, and {section}.bundle was trained for "
            f"'{bundle.objective.name}'; train it with --objective quality-at-cost, or leave confidence out."
        )


def labelling(settings: Settings) -> Cascade:
    """The policy of texts to be labelled, where none is configured: a cascade, as `[policy]` has it."""
    given = settings.policy
    if given.kind != CASCADE:
        return cascade_for(PolicySettings(CASCADE), settings.candidates)
    own = PolicySettings(CASCADE, options=given.options, cascade=given.cascade, escalate=given.escalate)
    return cascade_for(own, settings.candidates)


def placings(candidates: Sequence[CandidateSettings]) -> dict[str, Placing]:
    """What was learned of each classifier at the edge."""
    found: dict[str, Placing] = {}
    for candidate in candidates:
        folder = folder_of(candidate)
        if candidate.location != "edge" or candidate.bundle is None or not (folder / FILE).exists():
            continue  # what is missing of the bundle is said by whoever runs it
        manifest = read_manifest(folder)
        if FILE not in manifest.files:
            raise BundleError(f"{folder / FILE} has no SHA-256 in {MANIFEST}; distill anew, or take it away.")
        placing = read_placing(folder, manifest.version)
        if placing is not None:
            found[candidate.id] = placing
    return found


def promises(candidates: Sequence[CandidateSettings]) -> dict[str, Promise]:
    """What was promised of each classifier at the edge."""
    found = placings(candidates)
    return {name: placing.promise for name, placing in found.items() if placing.promise is not None}


def reader(path: str | None) -> Policy:
    """A bundle as a policy; numpy and what else it needs load only now."""
    if not path:
        raise SettingsError(
            '[policy] kind = "bundle" needs bundle = "PATH", the folder that `edgewise train` wrote.'
        )
    return loaded(Path(path).expanduser())


def loaded(folder: Path) -> Policy:
    """The policy in a bundle's folder; if its vectors come from an endpoint, with a rule to fall back on."""
    policy = learned(folder)
    version = features_of(policy)
    if version is None or endpoint_in(version) is None:
        return policy
    return Otherwise(policy, make("complexity"))
