"""Who asks: what a client's key brings to each of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast, get_args

from edgewise.domain.errors import RequestError
from edgewise.domain.privacy import privacy_of
from edgewise.domain.requests import Priority

if TYPE_CHECKING:
    from edgewise.settings import ServerKey

CALLER = "edgewise.caller"  # where the scope holds the caller, if keys are on
PRIORITIES: tuple[str, ...] = get_args(Priority)


class Caller(NamedTuple):
    """A key's name, the privacy that it demands, the objective that it prefers, its highest priority.

    Where there are no keys, everybody is the same caller: one that may ask for any priority.
    """

    name: str | None = None
    privacy: str | None = None
    objective: str | None = None
    priority: Priority = "normal"

    @classmethod
    def of(cls, key: ServerKey) -> Caller:
        """Whoever has this key."""
        privacy = None if key.privacy is None else privacy_of(key.privacy)
        return cls(key.name, privacy, key.objective, key.priority)

    def at_most(self, asked: str | None) -> Priority:
        """The priority of a request that asks for `asked`. Raises `RequestError` where there is no such."""
        if asked is None:
            return self.priority
        if asked not in PRIORITIES:
            raise RequestError(
                f"The priority '{asked[:40]}' does not exist; there are high, normal and low.",
                param="edgewise.priority",
            )
        wanted = cast("Priority", asked)
        if self.name is None:
            return wanted
        return wanted if PRIORITIES.index(wanted) > PRIORITIES.index(self.priority) else self.priority


NOBODY = Caller()
