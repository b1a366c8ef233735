"""What is checked of `[policy.cascade]` and `[[policy.escalate]]`."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import CascadeSettings, EscalateSettings, PolicySettings

CASCADE = "cascade"
OWN = f'expected it only beside kind = "{CASCADE}"'


def cascade_complaints(key: str, policy: PolicySettings, deployed: str) -> Iterator[Complaint]:
    """Everything that cannot be run; `deployed` is the bundle's word that a cascade does not take."""
    if policy.kind != CASCADE:
        for name in ("cascade", "escalate"):
            if getattr(policy, name):
                yield Complaint(f"{key}.{name}", "has no effect", OWN)
        return
    if policy.bundle == deployed:
        yield expected(f"{key}.bundle", policy.bundle, "a bundle's folder beside a cascade")
    if policy.bundle is not None and policy.options:
        yield Complaint(f"{key}.options", "has no effect", "expected it only without a bundle")
    if policy.cascade is not None:
        yield from _numbers(f"{key}.cascade", policy.cascade)
    names: set[str] = set()
    for index, rule in enumerate(policy.escalate):
        here = f"{key}.escalate[{index}]"
        yield from _rule(here, rule)
        if rule.name in names:
            yield expected(f"{here}.name", rule.name, "a name that no rule before it has")
        names.add(rule.name)


def _numbers(here: str, cascade: CascadeSettings) -> Iterator[Complaint]:
    if cascade.confidence is not None and not 0.0 <= cascade.confidence <= 1.0:
        yield expected(f"{here}.confidence", cascade.confidence, "a number from 0 to 1")
    if not 0.0 <= cascade.watched <= 1.0:
        yield expected(f"{here}.watched", cascade.watched, "a number from 0 to 1")
    if not 0.0 < cascade.hold_s < inf:
        yield expected(f"{here}.hold_s", cascade.hold_s, "a number of seconds above 0")


def _rule(here: str, rule: EscalateSettings) -> Iterator[Complaint]:
    if not rule.name.strip() or not rule.name.isprintable():
        yield expected(f"{here}.name", rule.name, "a text on one line that is not empty")
    if not (rule.words or rule.labels or rule.when):
        yield Complaint(here, "says nothing to look for", "expected words, labels or when")
    for index, word in enumerate(rule.words):
        if not any(character.isalnum() for character in word):
            yield expected(f"{here}.words[{index}]", word, "a word or a phrase")
        elif "*" in word[:-1]:
            yield expected(f"{here}.words[{index}]", word, "a * at its end only")
    for index, label in enumerate(rule.labels):
        if not label.strip():
            yield expected(f"{here}.labels[{index}]", label, "a label")
    if (rule.escalates or rule.stays) and not rule.words:
        side = "escalates" if rule.escalates else "stays"
        yield Complaint(f"{here}.{side}", "has no effect", "expected it only beside words")
