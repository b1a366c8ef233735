"""What the agents say together: blocked, then local, then cloud, then hybrid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewise.integrations.oblix.errors import Blocked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.candidates import Candidate

TARGETS = ("local", "cloud", "hybrid")
ALIASES = {"edge": "local", "local_execution": "local", "cloud_execution": "cloud", "both": "hybrid"}
KEYS: Mapping[str, Any] = {"proceed": True, "state": "unknown", "target": "hybrid", "reason": ""}


def sound(name: str, said: object) -> dict[str, Any]:
    """What an agent's `check` gave, with every key that callers may rely on.

    A word that is no target counts as hybrid. Raises TypeError for what is no mapping.
    """
    if not isinstance(said, Mapping):
        raise TypeError(
            f"check of '{name}' gave {type(said).__name__}; expected a dict with proceed and target"
        )
    found: dict[str, Any] = {**KEYS, "metrics": {}, **said}
    wanted = found["target"]
    target = str(getattr(wanted, "value", wanted) or "hybrid").lower()
    target = ALIASES.get(target, target)
    return {**found, "target": target if target in TARGETS else "hybrid"}


def target_of(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """Where the request goes. Raises `Blocked` for the first agent that says so."""
    for name, said in checks.items():
        if not said["proceed"]:
            raise Blocked(name, str(said["reason"] or ""))
    wanted = {said["target"] for said in checks.values()}
    return next((target for target in TARGETS if target in wanted), "hybrid")


def allowed(target: str, candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """The ids of who may answer; everybody where nobody stands at the target."""
    everybody = tuple(candidates)
    place = {"local": "edge", "cloud": "cloud"}.get(target)
    there = tuple(one.id for one in everybody if one.location == place)
    return there or tuple(one.id for one in everybody)
