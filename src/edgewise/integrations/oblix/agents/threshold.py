"""A number that is passed or not, without flickering."""

from __future__ import annotations


class Threshold:
    """Entered at `level`, left at `leave` times it: noise around one number must not flip a state.

    `low_is_bad` for what must not fall below it. What nobody knows (None) leaves it at once.
    """

    __slots__ = ("enter", "is_passed", "leave", "low_is_bad")

    def __init__(self, level: float, *, leave: float = 0.9, low_is_bad: bool = False) -> None:
        self.enter = level
        self.leave = level / leave if low_is_bad else level * leave
        self.low_is_bad = low_is_bad
        self.is_passed = False

    def observe(self, value: float | None) -> bool:
        """Whether it is passed now."""
        bound = self.leave if self.is_passed else self.enter
        self.is_passed = value is not None and (value <= bound if self.low_is_bad else value >= bound)
        return self.is_passed
