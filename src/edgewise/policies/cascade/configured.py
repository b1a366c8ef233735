"""`[policy] kind = "cascade"` → a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError
from edgewise.policies.cascade.policy import Cascade
from edgewise.policies.cascade.rules import Escalation
from edgewise.settings.secrecy import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.protocols import Policy
    from edgewise.policies.cascade.placing import Placing
    from edgewise.settings import PolicySettings
    from edgewise.settings.schema import EscalateSettings


def configured(
    settings: PolicySettings, inner: Policy, placings: Mapping[str, Placing], section: str = "policy"
) -> Cascade:
    """The cascade around `inner`, with what was learned of each classifier at the edge.

    `section` is where the settings stand. Raises `SettingsError` where a rule does not do what its examples
    say.
    """
    rules = tuple(_tried(f"{section}.escalate[{n}]", rule) for n, rule in enumerate(settings.escalate))
    if settings.cascade is None:
        return Cascade(inner, rules, dict(placings))
    own = settings.cascade
    return Cascade(inner, rules, dict(placings), own.confidence, own.hold_s, own.watched)


def _tried(here: str, given: EscalateSettings) -> Escalation:
    """The rule, once its words were tried on its examples."""
    words = Escalation(given.name, given.words)
    for side, wanted in (("escalates", True), ("stays", False)):
        for index, text in enumerate(getattr(given, side)):
            if words.applies(text) != wanted:
                found = "is not escalated" if wanted else "is escalated"
                raise SettingsError(
                    f"{here}.{side}[{index}] is {shown(text)}, which {found} by the rule '{given.name}'; "
                    "change its words or the example."
                )
    return Escalation(given.name, given.words, given.labels, given.when)
