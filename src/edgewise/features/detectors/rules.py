"""All rules by name, and the search that asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.features.detectors.contact import addresses, emails, phones
from edgewise.features.detectors.lettered import lettered
from edgewise.features.detectors.matches import Match, Prose
from edgewise.features.detectors.numbers import numbers, runs
from edgewise.features.detectors.secrets import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

# One character for one, so that places stay: signs that look like others, and digits of full width.
ALIKE = str.maketrans(
    "０１２３４５６７８９＠．－＋（）"  # noqa: RUF001 - that is what it is about
    "\u2010\u2011\u2012\u2013\u2014\u2212\u00a0\u2007\u2009\u202f\u200b\u200c\u200d\u2060\ufeff",
    "0123456789@.-+()------         ",
)


def search(text: str) -> list[Match]:
    """What the rules find, in the text's order. A number that a stricter rule knows is no telephone's."""
    prose = Prose.of(text if text.isascii() else text.translate(ALIKE))
    found = [*secrets(prose), *emails(prose)]
    groups = runs(prose.text)
    known = [*lettered(prose.text, groups), *addresses(prose)]
    if groups:
        known += numbers(prose, groups)
        found += _apart(phones(prose, groups), known)
    found += known
    if len(found) > 1:
        found = sorted(set(found), key=lambda match: (match.start, match.end, match.rule))
    return found


def _apart(matches: Iterator[Match], known: list[Match]) -> Iterator[Match]:
    """The matches that share no place with what is known."""
    for match in matches:
        if all(match.end <= other.start or other.end <= match.start for other in known):
            yield match
