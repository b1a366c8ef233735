"""The check digits of cards, accounts and national ids. Each says whether the digits of a text fit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VERHOEFF_STEPS = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
VERHOEFF_PRODUCTS = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights, as far as the weights reach."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """ISO/IEC 7812: cards, and the ids of Canada, Sweden and South Africa."""
    total = sum(map(int, digits[-1::-2])) + sum(LUHN_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def mod_97(letters: str) -> bool:
    """ISO 7064 MOD 97-10 over letters and digits, the first four moved to the end: IBANs."""
    moved = letters[4:] + letters[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def verhoeff(digits: str) -> bool:
    """Verhoeff's dihedral check digit: Aadhaar."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        step = int(VERHOEFF_STEPS[place % 8][int(digit)])
        state = int(VERHOEFF_PRODUCTS[state][step])
    return state == 0


def ean_13(digits: str) -> bool:
    """The check digit of thirteen digits weighted 1 and 3 in turn."""
    return weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def mod_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: the German tax id."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def is_date(year: int, month: int, day: int) -> bool:
    """Whether month and day can be, leap days always allowed; the year only where it is 1850 to 2099."""
    longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return (not year or 1850 <= year < 2100) and 1 <= month <= 12 and 1 <= day <= longest[month - 1]  # noqa: PLR2004 - the calendar


def is_varied(digits: str) -> bool:
    """Whether it is more than one digit over and over, which many check digits let through."""
    return len(Counter(digits)) > 1
