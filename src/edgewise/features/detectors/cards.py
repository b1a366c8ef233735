"""Payment cards: who issues numbers of which beginning and length, and Luhn's check digit."""

from __future__ import annotations

from edgewise.features.detectors.checksums import is_varied, luhn

# (from, to) of the first digits, and the lengths that go with them.
ISSUED = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14, 16)),
    ("38", "39", (14, 16)),
    ("50", "50", (16, 18, 19)),  # Maestro and its kin
    ("56", "58", (16, 18, 19)),
    ("60", "60", (16,)),  # RuPay
    ("81", "82", (16,)),
    ("2200", "2204", (16,)),  # Mir
)


def card(digits: str) -> bool:
    """Whether somebody issues such a number."""
    issued = any(
        len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in ISSUED
    )
    return issued and is_varied(digits) and luhn(digits)
