"""What is wished for in several places, as one: a privacy is a promise, and none of them takes one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewise.domain.privacy import privacy_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIVACY = "privacy"


def together(*wishes: Mapping[str, Any]) -> dict[str, Any]:
    """All of the wishes by name, later ones before earlier ones; of `privacy` all that was said holds."""
    found = {name: value for each in wishes for name, value in each.items()}
    promised = [str(each[PRIVACY]) for each in wishes if each.get(PRIVACY) is not None]
    if not promised:
        return found
    try:
        return {**found, PRIVACY: privacy_of(*promised)}
    except ValueError:  # who reads it says which word means nothing
        return {**found, PRIVACY: ",".join(promised)}
