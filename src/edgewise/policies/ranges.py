"""What numbers an option may be; each check raises ValueError, a sentence that begins with its name."""

from __future__ import annotations

from math import inf, nan, nextafter

ABOVE_ZERO = nextafter(0.0, 1.0)
LARGEST = nextafter(inf, 0.0)


def share(name: str, value: object) -> None:
    """A number from 0 to 1."""
    _within(name, value, 0.0, 1.0, "a number from 0 to 1")


def weight(name: str, value: object) -> None:
    """A finite number of 0 or more."""
    _within(name, value, 0.0, LARGEST, "a number of 0 or more")


def positive(name: str, value: object) -> None:
    """A finite number above 0."""
    _within(name, value, ABOVE_ZERO, LARGEST, "a number above 0")


def _within(name: str, value: object, low: float, high: float, expected: str) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else nan
    if not low <= number <= high:
        raise ValueError(f"{name} is {value!r}; expected {expected}")
