"""Kinds of prompts: what they are called, how many of them there should be, what they are like."""

from __future__ import annotations

import re
from math import floor, isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

SPELLED = re.compile(
    r"\s*(?P<name>[^=:\n]+?)\s*(?:=\s*(?P<share>[^:\s]+))?\s*:\s*(?P<description>.+)", re.DOTALL
)


class Kind(Struct, frozen=True):
    """A kind of prompts; `share` counts in proportion to the others', `description` is for who makes them."""

    name: str
    description: str
    share: float = 1.0


# The two kinds of the published placement system, with its examples.
USUAL = (
    Kind(
        "time-critical",
        "An answer is needed at once: somebody is in danger, in a hurry or in the middle of doing something, "
        "and a plain answer now is worth more than a better one later. Such as: A bee stung me, what to do?",
    ),
    Kind(
        "quality-critical",
        "The answer must be correct, complete and well thought out, and may take its time. "
        "Such as: Explain step by step how to set up my IKEA desk.",
    ),
)


def kind_of(said: str) -> Kind:
    """`NAME=SHARE: description`; the share may be absent. Raises `RequestError` for anything else."""
    found = SPELLED.fullmatch(said)
    if found is None:
        raise RequestError(
            f"--kind {said[:60]!r} cannot be read; write NAME=SHARE: description, such as "
            "'recipes=0.5: questions about cooking'."
        )
    try:
        share = float(found["share"] or 1)
    except ValueError:
        share = 0.0
    if not (isfinite(share) and share > 0):
        raise RequestError(f"--kind {found['name']!r} needs a share above 0: {found['share']!r}.")
    return Kind(found["name"], found["description"].strip(), share)


def quotas(kinds: Sequence[Kind], count: int) -> dict[str, int]:
    """How many prompts of each kind make `count`, by their shares: the largest remainders are rounded up."""
    total = sum(kind.share for kind in kinds)
    exact = {kind.name: count * kind.share / total for kind in kinds}
    found = {name: floor(wanted) for name, wanted in exact.items()}
    rest = sorted(exact, key=lambda name: found[name] - exact[name])
    for name in rest[: count - sum(found.values())]:
        found[name] += 1
    return found
