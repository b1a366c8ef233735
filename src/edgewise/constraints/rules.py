"""What the operator allows whom: rules over a request's metadata and a candidate's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals

FIELDS = ("id", "location", "trust", "kind", "region", "model")


class Rule(Struct, frozen=True):
    """One rule, called `name`. It holds for requests whose metadata has every pair of `when` (none: all).

    Of `allow` and `deny` one stands: a candidate's field (id, location, trust, kind, region, model) or tag →
    the values that it must have, or must not have. A candidate without that tag has the value "".
    """

    name: str
    when: dict[str, str] = {}
    allow: dict[str, tuple[str, ...]] = {}
    deny: dict[str, tuple[str, ...]] = {}

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate that the rule shuts out."""
        del signals
        if self.when and not self._concerns(request.wishes.metadata):
            return None
        for key, wanted in self.allow.items():
            has = value_of(candidate, key)
            if has not in wanted:
                listed = " or ".join(f"'{value}'" for value in wanted)
                said = f"The rule '{self.name}' wants {key} {listed}, and it has '{has}'"
                return Objection(candidate.id, "allow", said)
        for key, unwanted in self.deny.items():
            has = value_of(candidate, key)
            if has in unwanted:
                return Objection(candidate.id, "allow", f"The rule '{self.name}' shuts out {key} '{has}'")
        return None

    def _concerns(self, metadata: Mapping[str, str]) -> bool:
        return all(metadata.get(key) == value for key, value in self.when.items())


def value_of(candidate: Candidate, key: str) -> str:
    """A candidate's field or tag called `key`; "" where it has none."""
    if key in FIELDS:
        return str(getattr(candidate, key, None) or "")
    return candidate.tags.get(key, "")
