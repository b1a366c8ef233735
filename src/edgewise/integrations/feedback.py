"""What an answer was worth, told from inside somebody else's framework."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from edgewise.domain.feedback import checked_feedback
from edgewise.domain.ids import mint
from edgewise.library import Pending

if TYPE_CHECKING:
    from edgewise.domain.decisions import Feedback
    from edgewise.library import Router


def send(router: Router, decision_id: str, *, source: str = "user", **said: Any) -> Pending[Feedback]:
    """Write feedback on a decision into the log: `await` it, or take its `result()`.

    `said` is any of `quality`, `success`, `rating`, `thumbs`, `edit_distance`, `correction`, `abandoned_s`,
    `comment`. Raises RequestError for what says nothing or lies out of bounds.
    """

    async def written() -> Feedback:
        feedback = checked_feedback(id=mint(), decision_id=decision_id, at=time(), source=source, **said)
        await router.opened.log.append(feedback)
        return feedback

    return Pending(router, written)
