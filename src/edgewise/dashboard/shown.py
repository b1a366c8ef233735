"""Text from outside, as pages show it: it can be read, and it can do nothing."""

from __future__ import annotations

from typing import Final

from edgewise.dashboard.html import Html, h
from edgewise.outcomes.plain import harmless, shortened

CAPTION: Final = 140  # characters of a prompt in a list
WHOLE: Final = 20_000  # characters of a text that a page shows at once


def text(said: str, most: int = CAPTION) -> Html:
    """One line of at most `most` characters, whose direction is its own; control characters are spelled."""
    return h.bdi(shortened(said, most))


def said(whole: str, *, rest: str | None = None) -> Html:
    """A whole text with its line breaks; what is too long for a page ends with a link to the `rest`."""
    cut = harmless(whole[:WHOLE])
    block = h.div(cut, class_="said", dir="auto", tabindex="0", role="group", aria_label="Text")
    if len(whole) <= WHOLE:
        return block
    more = h.a("all of it as a file", href=rest) if rest else None
    note = h.p(f"The first {WHOLE:,} of {len(whole):,} characters. ", more, class_="note")
    return h.div(block, note)


def candidate(name: str, location: str) -> Html:
    """A candidate's id with the colour of its place; nobody where there is none."""
    return h.span(name or "nobody", class_=f"badge {location}".strip())
