"""Where a request's text may go: the words for it, which of two is stricter, and whom they allow.

A privacy is None (anywhere), `local` (this machine only) or a list of regions such as `region:eu,region:de`,
all of which must hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Decision
    from edgewise.domain.requests import Request

LOCAL = "local"
REGION = "region:"
FOUND = "found:"  # a decision's evidence that a detector saw something private
WORD = re.compile(r"local|region:[a-z0-9][a-z0-9._-]{0,39}")


def privacy_of(*said: str | None) -> str | None:
    """The privacy that keeps to everything that was said, or None where nothing was.

    What was said are words parted by commas. Raises ValueError with the first word that means nothing.
    """
    if not any(said):
        return None
    words: set[str] = set()
    for text in said:
        for word in (text or "").split(","):
            plain = word.strip().lower()
            if plain and not WORD.fullmatch(plain):
                raise ValueError(word.strip())
            words.add(plain)
    words.discard("")
    if LOCAL in words:
        return LOCAL
    return ",".join(sorted(words)) or None


def promise_of(request: Request) -> str | None:
    """What holds for a request: what was declared for it, or `local` where what was found must stay."""
    privacy = request.wishes.privacy
    if request.findings and any(finding.action == LOCAL for finding in request.findings):
        return LOCAL
    return privacy


def promise_for(decision: Decision) -> str | None:
    """What holds for a text of the log: what was declared for it, or `local` where something was found.

    That may stand in another turn than the text that was kept, and an answer may repeat it.
    """
    return LOCAL if any(name.startswith(FOUND) for name in decision.evidence) else decision.privacy


def permits(privacy: str | None, candidate: Candidate) -> bool:
    """Whether a text of this privacy may be sent to `candidate`. What is not understood allows nobody.

    A candidate on this machine may have any text: it does not leave. Another has a region if it lies in it
    (`eu`) or in a part of it (`eu-west-1`).
    """
    if privacy is None or candidate.trust == "device":
        return True
    region = candidate.region.lower()
    return all(_within(region, word) for word in privacy.split(","))


def _within(region: str, word: str) -> bool:
    wanted = word.removeprefix(REGION)
    return wanted != word and bool(wanted) and (region == wanted or region.startswith(f"{wanted}-"))
