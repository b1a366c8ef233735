"""From settings to a router that decides: its policies, what describes prompts for them, its rules."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from edgewise.app.cascades import cascade_for, labelling, loaded, reader
from edgewise.constraints import constraints_for
from edgewise.domain.errors import MissingExtra, SettingsError
from edgewise.domain.places import home
from edgewise.execution import Executor
from edgewise.features.detectors import detection_for
from edgewise.features.serving import featurizer
from edgewise.features.text import TextFeatures
from edgewise.learning.deploy import FOLDER, Deployed, Store
from edgewise.learning.steer import as_configured
from edgewise.outcomes import MemoryLog, Texts
from edgewise.policies import Explore, make, settled
from edgewise.policies.affinity import Affinity
from edgewise.policies.cascade.policy import Cascade
from edgewise.router import CLASSIFY, Router
from edgewise.settings import describe
from edgewise.settings.cascade import CASCADE
from edgewise.settings.schema import DEPLOYED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgewise.domain.protocols import Featurizer, Policy, Screen
    from edgewise.domain.requests import Features
    from edgewise.execution import Shadows
    from edgewise.features.detectors import Detection
    from edgewise.settings import PolicySettings, Settings

BUNDLE = "bundle"


def decider(settings: Settings) -> Router:
    """A router that only decides: it has nobody to ask and keeps no log."""
    watchers = watchers_for(settings, lambda name, policy: None)  # noqa: ARG005 - it ends before anything changes
    detection = detection_for(settings.privacy)
    router = router_for(settings, Executor({}, MemoryLog()), Texts("none"), watchers)
    return replace(router, screens=screens_for(detection))


def screens_for(detection: Detection) -> tuple[Screen, ...]:
    """What searches requests for private things, if anything shall."""
    return (detection,) if detection.is_on else ()


def router_for(
    settings: Settings,
    executor: Executor,
    texts: Texts,
    watchers: Mapping[str, Deployed],
    shadows: Shadows | None = None,
) -> Router:
    """A router with the configured candidates, rules and policies; nothing of it is open yet."""
    policies = policies_for(settings, watchers)
    return Router(
        candidates=tuple(describe(c) for c in settings.candidates),
        featurizer=featurizer_for(policies, settings),
        constraints=constraints_for(settings),
        policies=policies,
        executor=executor,
        keep=texts,
        best_effort=settings.constraints.degrade == "best-effort",
        shadows=shadows,
        keep_vector=_keeping(settings),
        plainly=TextFeatures(),
    )


def configured(settings: Settings) -> dict[str, PolicySettings]:
    """The settings of each policy by the name that it serves under."""
    return {**settings.policies, "auto": settings.policy}


def watchers_for(settings: Settings, adopt: Callable[[str, Policy], None]) -> dict[str, Deployed]:
    """One for each policy that follows `edgewise deploy`; the rule of thumb decides until a bundle does."""
    store = Store(home() / FOLDER)
    return {
        name: Deployed(store, load=loaded, otherwise=make("complexity"), adopt=partial(adopt, name))
        for name, policy in configured(settings).items()
        if policy.kind == BUNDLE and policy.bundle == DEPLOYED
    }


def policies_for(settings: Settings, watchers: Mapping[str, Deployed]) -> dict[str, Policy]:
    """The configured policy as "auto", and every other that `auto:NAME` may ask for."""
    margin = settings.session.switch_margin
    plain: dict[str, Policy] = {kind: Affinity(make(kind), margin) for kind in ("complexity", "random")}
    found = {
        name: exploring(
            watchers[name].first() if name in watchers else _policy(policy, settings, name), policy, margin
        )
        for name, policy in configured(settings).items()
    }
    if any(candidate.kind == "classifier" for candidate in settings.candidates):
        plain[CLASSIFY] = labelling(settings)
    served = {name: as_configured(policy, settings.objective) for name, policy in found.items()}
    return {**plain, **served}


def exploring(policy: Policy, settings: PolicySettings, switch_margin: float) -> Policy:
    """The policy as it serves: it stays with a session, and explores outside of one."""
    # A cascade asks the edge first in a session, too, and its answer decides each time.
    staying = policy if isinstance(policy, Cascade) else Affinity(policy, switch_margin)
    return Explore(staying, settings.explore) if settings.explore > 0 else staying


def _policy(settings: PolicySettings, whole: Settings, name: str) -> Policy:
    if settings.kind == CASCADE:
        return cascade_for(settings, whole.candidates, section_of(name))
    if settings.kind != BUNDLE:
        return make(settings.kind, options=settings.options, candidate=settings.candidate)
    return reader(settings.bundle)


def section_of(name: str) -> str:
    """Where the settings of the policy that serves under this name stand."""
    return "policy" if name == "auto" else f"policies.{name}"


def _keeping(settings: Settings) -> Callable[[Features], bytes | None] | None:
    """How the log keeps what learned policies read, where `[store] vectors` asks for it."""
    if not settings.store.vectors:
        return None
    try:
        from edgewise.features.packed import kept  # noqa: PLC0415 - numpy is an extra
    except ImportError as error:
        raise MissingExtra("[store] vectors = true", "learn") from error
    return kept


def featurizer_for(policies: Mapping[str, Policy], settings: Settings) -> Featurizer:
    """The text's statistics, and the vectors that a bundle among the policies was trained on."""
    found = (getattr(settled(policy), "features", None) for policy in policies.values())
    wanted = {version for version in found if isinstance(version, str)}
    if len(wanted) > 1:
        raise SettingsError(
            f"The bundles want different features ({', '.join(sorted(wanted))}); train them alike."
        )
    if not wanted and settings.store.vectors:  # for a bundle to come: replayed on what was asked before it
        from edgewise.features.packed import widest  # noqa: PLC0415 - numpy is an extra

        wanted.add(widest())
    return featurizer(wanted.pop() if wanted else None, settings.features)
