"""What people, programs and judges say of an answer, and the quality (0 to 1) that each saying means.

| said | quality |
|---|---|
| `quality` | itself |
| `success` | itself: the share of the task that was done; true is 1, false 0 |
| `rating` | (rating - 1) / 4, from 1 to 5 |
| `thumbs` | up 1, down 0 |
| `edit_distance` | 1 - distance: what was left of the answer when somebody had made it fit |
| `correction` | true 0: the next message had to correct the answer; false says nothing |
| `abandoned_s` | at most 0.5, reached after `PATIENCE_S`: who gave up was not helped |

Of one feedback the first line that it fills in counts. Of several, only those of the most trusted kind
do: verifiable graders (a `source` that begins with `grader:`), then what somebody or something said
outright, then judges (`judge:`), then what was only observed (a correction, an abandonment). Of these the
mean is taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.decisions import Feedback
from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

GRADER: Final = "grader:"
JUDGE: Final = "judge:"
PATIENCE_S: Final = 60.0
MOST_OF_ABANDONED: Final = 0.5
# What may be said in numbers, and the bounds.
BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "quality": (0.0, 1.0),
    "rating": (1.0, 5.0),
    "edit_distance": (0.0, 1.0),
    "abandoned_s": (0.0, math.inf),
    "success": (0.0, 1.0),
}
WORDS: Final = (
    "quality",
    "success",
    "rating",
    "thumbs",
    "edit_distance",
    "correction",
    "abandoned_s",
    "comment",
)
LONGEST: Final = {"comment": 10_000, "source": 200}  # characters; what is said is no place to keep files
OUTRIGHT: Final = ("quality", "success", "rating", "thumbs", "edit_distance")


def checked_feedback(*, id: str, decision_id: str, at: float, source: str = "user", **said: Any) -> Feedback:  # noqa: A002 - the record's own name
    """A feedback that says something and stays within its bounds; `said` are fields among `WORDS`.

    Raises RequestError, which names the field.
    """
    if all(value is None for value in said.values()):
        raise RequestError(
            "Feedback says nothing; give quality (0-1), success (0-1), rating (1-5), thumbs, edit_distance "
            "(0-1), correction, abandoned_s or comment."
        )
    for name, (least, most) in BOUNDS.items():
        value = said.get(name)
        if value is None:
            continue
        if not least <= value <= most or not math.isfinite(value):
            upper = f"between {least:g} and {most:g}" if math.isfinite(most) else f"at {least:g} or above"
            raise RequestError(f"`{name}` lies {upper}.", param=name)
    for name, most in LONGEST.items():
        text = source if name == "source" else said.get(name) or ""
        if len(text) > most:
            raise RequestError(f"`{name}` has at most {most:,} characters, not {len(text):,}.", param=name)
        if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
            raise RequestError(f"`{name}` holds half a character, which is no text.", param=name)
    return Feedback(id=id, decision_id=decision_id, at=at, source=source, **said)


def quality_of(said: Feedback) -> float | None:
    """The quality, 0 to 1, that one feedback means; None where it names none (a comment alone)."""
    if said.quality is not None:
        return said.quality
    if said.success is not None:
        return said.success
    if said.rating is not None:
        least, most = BOUNDS["rating"]
        return min(1.0, max(0.0, (said.rating - least) / (most - least)))
    if said.thumbs is not None:
        return 1.0 if said.thumbs == "up" else 0.0
    if said.edit_distance is not None:
        return 1.0 - said.edit_distance
    if said.correction:
        return 0.0
    if said.abandoned_s is not None:
        return MOST_OF_ABANDONED * min(1.0, said.abandoned_s / PATIENCE_S)
    return None


def agreed(all_said: Iterable[Feedback]) -> tuple[float, str] | None:
    """What all feedback of one answer comes to: a quality, and the `source` of the trusted (the first's)."""
    named = [
        (_rank(said), quality, said.source) for said in all_said if (quality := quality_of(said)) is not None
    ]
    if not named:
        return None
    best = min(rank for rank, _, _ in named)
    trusted = [(quality, source) for rank, quality, source in named if rank == best]
    return sum(quality for quality, _ in trusted) / len(trusted), trusted[0][1]


def _rank(said: Feedback) -> int:
    """How far a feedback is to be trusted: 0 is most."""
    if said.source.startswith(GRADER):
        return 0
    if said.source.startswith(JUDGE):
        return 2
    return 1 if any(getattr(said, name) is not None for name in OUTRIGHT) else 3
