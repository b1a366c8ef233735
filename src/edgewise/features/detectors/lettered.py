"""Ids of letters and digits: bank accounts, and the national ids that carry letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgewise.features.detectors.checksums import is_date, mod_97, weighted
from edgewise.features.detectors.matches import Match
from edgewise.features.detectors.national import cn_resident_id, fr_nir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgewise.features.detectors.numbers import Group

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26,
    "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \-]?[A-Za-z0-9]{4})")
IBAN_REST = re.compile(r"(?:[ \-]?[A-Za-z0-9]){11,30}")
FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"
SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
ITALIAN_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
MEXICAN = "0123456789ABCDEFGHIJKLMN#OPQRSTUVWXYZ"


def _nino(letters: str) -> bool:
    return letters[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def _spanish(letters: str) -> bool:
    number = letters[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return SPANISH[int(number) % 23] == letters[-1]


def _italian(letters: str) -> bool:
    total = 0
    for place, character in enumerate(letters[:15]):
        value = int(character) if character.isdigit() else ord(character) - 65
        total += value if place % 2 else ITALIAN_ODD[value]
    return chr(65 + total % 26) == letters[15]


def _finnish(letters: str) -> bool:
    born = is_date(0, int(letters[2:4]), int(letters[:2]))
    return born and FINNISH[int(letters[:6] + letters[7:10]) % 31] == letters[10]


def _singaporean(letters: str) -> bool:
    first = letters[0]
    total = weighted(letters[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}[first]
    if first == "M":
        return "KLJNPQRTUWX"[10 - total % 11] == letters[8]
    return ("JZIHGFEDCBA" if first in "ST" else "XWUTRQPNMLK")[total % 11] == letters[8]


def _mexican(letters: str) -> bool:
    total = weighted_letters(letters[:17])
    return (10 - total % 10) % 10 == int(letters[17])


def weighted_letters(letters: str) -> int:
    """The sum that the CURP's last digit makes up: each letter's value times 18, 17, and so on."""
    return sum(MEXICAN.index(letter) * (18 - place) for place, letter in enumerate(letters))


def _corsican(letters: str) -> bool:
    return fr_nir(letters.replace("2A", "19").replace("2B", "18"))


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])")


IDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("es_dni", _whole(r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ \-]?[A-Z]"), _spanish),
    ("fi_hetu", re.compile(r"(?<![A-Za-z0-9])[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Z](?![A-Za-z0-9])"), _finnish),
    ("cn_resident_id", _whole(r"[0-9]{17}[Xx]"), cn_resident_id),
    ("uk_nino", _whole(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ \-]?(?:[0-9]{2}[ \-]?){3}[A-D]"), _nino),
    ("es_dni", _whole(r"[XYZ][ \-]?[0-9]\.?[0-9]{3}\.?[0-9]{3}[ \-]?[A-Z]"), _spanish),
    ("sg_nric", _whole(r"[STFGM][0-9]{7}[A-Z]"), _singaporean),
    ("mx_curp", _whole(r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]"), _mexican),
    ("fr_nir", _whole(r"[12] ?[0-9]{2} ?[0-9]{2} ?2[AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"), _corsican),
)
ITALIAN_HINT = re.compile(r"[A-Z]{6}[0-9]{2}[A-Z]")  # a quarter of the time of the whole
ITALIAN = _whole(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]")
SEPARATED = re.compile(r"[ .\-]")
REACH = 44  # an IBAN is at most 34 characters and 8 spaces long


def lettered(text: str, found: list[list[Group]]) -> Iterator[Match]:
    """Every id of letters and digits that its check confirms: only around runs that letters stand beside.

    Italy's alone has no run of six digits.
    """
    if ITALIAN_HINT.search(text):
        for match in ITALIAN.finditer(text):
            if _italian(match[0]):
                yield Match("it_codice_fiscale", *match.span())
    for run in found:
        start, end = run[0][0], run[-1][1]
        if _has_letters(text[max(0, start - 2) : start], text[end : end + 2]):
            yield from _checked(text, start - REACH, end + REACH)


def _has_letters(before: str, after: str) -> bool:
    """Whether a letter stands directly beside a number, or a capital one separator away."""
    return (
        before[-1:].isalpha()
        or after[:1].isalpha()
        or before[:1].isupper()
        or after[1:].isupper()
        or "+" in after
    )


def _checked(text: str, start: int, end: int) -> Iterator[Match]:
    start = max(0, start)
    for name, pattern, check in IDS:
        for match in pattern.finditer(text, start, end):
            # Finland's sign is a minus for those born in the 1900s, and part of the id.
            letters = match[0] if name == "fi_hetu" else SEPARATED.sub("", match[0])
            if check(letters):
                yield Match(name, *match.span())
    yield from _ibans(text, start, end)


def _ibans(text: str, low: int, high: int) -> Iterator[Match]:
    for start in IBAN_START.finditer(text, low, high):
        length = IBAN_LENGTHS.get(start[0][:2].upper())
        rest = IBAN_REST.match(text, start.end()) if length else None
        if rest is None:
            continue
        taken, end = 4, start.end()
        while end < rest.end() and taken < (length or 0):
            taken += text[end].isalnum()
            end += 1
        letters = SEPARATED.sub("", text[start.start() : end]).upper()
        if len(letters) == length and mod_97(letters) and not text[end : end + 1].isalnum():
            yield Match("iban", start.start(), end)
