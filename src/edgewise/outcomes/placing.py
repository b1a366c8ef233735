"""Where in a table of the log a time is, without an index, which would cost every write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ask = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]

ENDS: Final = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM %s"
AT: Final = "SELECT at FROM %s WHERE seq >= ? ORDER BY seq LIMIT 1"
DISORDER_S: Final = 7200.0  # rows stand in the order of their times, but for a clock that was set


def ends_of(ask: Ask, table: str) -> tuple[int, int]:
    """The first and the last place of a table; 0 where it is empty."""
    low, high = next(iter(ask(ENDS % table, ())))
    return int(low), int(high)


def first_after(ask: Ask, table: str, after: float) -> int:
    """The place of the first row after `after` (unix seconds), by halving."""
    low, high = ends_of(ask, table)
    while low < high:
        middle = (low + high) // 2
        (at,) = next(iter(ask(AT % table, (middle,))))
        low, high = (low, middle) if at > after else (middle + 1, high)
    return low
