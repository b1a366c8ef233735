"""How to reach somebody: e-mail addresses, telephone numbers, public IP addresses."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING

from edgewise.features.detectors.matches import AFTER, Match, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.features.detectors.matches import Prose
    from edgewise.features.detectors.numbers import Group

LOCAL_PART = re.compile(r"[^\W_][\w.+%'\-]*\Z")
DOMAIN = re.compile(r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w])")
LONGEST_LOCAL_PART = 64
WRITTEN_OUT = re.compile(
    r"[\w.+\-]{1,64} ?[\[({] ?at ?[\])}] ?[\w\-]+(?: ?(?:\.|[\[({] ?(?:dot|punkt|point) ?[\])}]) ?[\w\-]+)+",
    re.IGNORECASE,
)
INTERNATIONAL = re.compile(r"(?<![\w+])\+[0-9]{1,3}(?:[ .\-/]?\(?[0-9]{1,5}\)?){1,6}(?![0-9])")
BRACKETED = re.compile(r"(?<![\w)])\([0-9]{2,5}\)[ .\-]?[0-9]{2,5}(?:[ .\-][0-9]{2,5}){0,3}(?![0-9])")
FEWEST_DIGITS, MOST_DIGITS = 7, 15
SAID = Words((
    "phone", "tel", "call", "mobile", "cell", "fax", "whatsapp", "signal", "text me", "reach", "ring", "dial",
    "sms", "handy", "rufnummer", "móvil", "teléfono", "telefone", "celular", "portable", "numéro", "telefon",
    "puhelin", "contact", "hotline", "voicemail",
))  # fmt: skip
VERSION = Words(("version", "release", "v", "oid", "section", "chapter"))
OCTETS = re.compile(r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")  # a hint that costs a tenth of the whole
IPV4 = re.compile(r"(?<![\w.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w\-]|\.[0-9])")


def emails(prose: Prose) -> Iterator[Match]:
    """E-mail addresses, also with `(at)` and `(dot)` for the signs."""
    text, folded = prose
    at = text.find("@")
    while at >= 0:
        before = LOCAL_PART.search(text[max(0, at - LONGEST_LOCAL_PART) : at])
        after = DOMAIN.match(text, at + 1)
        if before and after:
            yield Match("email", at - len(before[0]), after.end())
        at = text.find("@", at + 1)
    if any(sign in folded for sign in ("(at", "[at", "{at", "( at", "[ at", "{ at")):
        for match in WRITTEN_OUT.finditer(text):
            yield Match("email", *match.span())


def phones(prose: Prose, found: list[list[Group]]) -> Iterator[Match]:
    """Telephone numbers: international ones, national formats, and any after a word such as "call"."""
    text = prose.text
    said: bool | None = None
    if "+" in text:
        yield from _sized(text, INTERNATIONAL)
    if "(" in text:
        yield from _sized(text, BRACKETED)
    for run in found:
        shape = [end - start for start, end in run]
        start, end = run[0][0], run[-1][1]
        if not FEWEST_DIGITS <= sum(shape) <= MOST_DIGITS or _is_part(text, start, end):
            continue
        if _is_dialled(text, run, shape):
            yield Match("phone", start, end)
        elif _plausible(text, run, shape):
            said = SAID.are_in(prose) if said is None else said
            if said and SAID.are_near(prose, start, start - AFTER):
                yield Match("phone", start, end)


def _sized(text: str, pattern: re.Pattern[str]) -> Iterator[Match]:
    for match in pattern.finditer(text):
        if FEWEST_DIGITS <= sum(character.isdigit() for character in match[0]) <= MOST_DIGITS:
            yield Match("phone", *match.span())


def _is_dialled(text: str, run: list[Group], shape: list[int]) -> bool:
    """Whether it is grouped as a number to dial: 212-555-0187, 01632 960983, 06 12 34 56 78."""
    if shape == [3, 3, 4]:
        return text[run[0][0]] in "23456789" and text[run[1][0]] in "23456789"
    if shape == [1, 3, 3, 4]:
        return text[run[0][0]] == "1"
    if text[run[0][0]] != "0" or len(shape) < 2 or not 9 <= sum(shape) <= 12:  # noqa: PLR2004 - a trunk zero, an area, a number
        return False
    return text[run[0][0] + 1 : run[0][0] + 2] != "0" and shape[0] > 1 and text[run[0][1]] != "."


def _plausible(text: str, run: list[Group], shape: list[int]) -> bool:
    """Whether it is at least no date and no decimal."""
    years = shape in ([4, 2, 2], [2, 2, 4], [4, 2, 2, 2])
    return not years and not (len(shape) == 2 and text[run[0][1]] == ".")  # noqa: PLR2004 - 1234567.89


def _is_part(text: str, start: int, end: int) -> bool:
    return (start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_#$€£")) or text[
        end : end + 1
    ].isalnum()


def addresses(prose: Prose) -> Iterator[Match]:
    """Public IPv4 addresses; private and reserved ones tell nothing about anybody."""
    text = prose.text
    if not OCTETS.search(text):
        return
    for match in IPV4.finditer(text):
        start, end = match.span()
        try:
            is_public = IPv4Address(match[0]).is_global
        except AddressValueError:
            continue
        if is_public and not VERSION.are_near(prose, start, start - AFTER):
            yield Match("ip_address", start, end)
