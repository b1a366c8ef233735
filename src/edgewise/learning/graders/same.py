"""When two JSON values are the same."""

from __future__ import annotations

from typing import Any, TypeGuard

CLOSE = 1e-9


def same(found: Any, expected: Any) -> bool:
    """Whether a value is the expected one.

    Truth values are no numbers, fractions may differ by a billionth, blanks around a text do not count.
    """
    if _is_list(expected):
        return _is_list(found) and len(found) == len(expected) and all(map(same, found, expected))
    if _is_object(expected):
        return (
            _is_object(found)
            and found.keys() == expected.keys()
            and all(same(found[key], value) for key, value in expected.items())
        )
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(expected, float) and isinstance(found, (int, float)):
        try:
            return abs(found - expected) <= CLOSE * max(1.0, abs(expected))
        except OverflowError:  # a whole number beyond every fraction
            return False
    if isinstance(expected, str) and isinstance(found, str):
        return found.strip() == expected.strip()
    return bool(found == expected)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
