"""What of a conversation counts, and how much: the user's last message in full, what came before it less.

A conversation is read as the user's last message (its vector, statistics and terms, exactly as if it stood
alone) and a context: the `READ` messages nearest to the end, each half as heavy as the one after it, and the
instructions of the system. All context together weighs less than `HEAVIEST` of the question, so that the
vector never turns away from it: their cosine is above .43 however much context pulls, and mostly about .9.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p
from typing import TYPE_CHECKING, Final

from edgewise.features.conversations import asked, turns_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.requests import Turn

READ: Final = 6
SYSTEM: Final = frozenset({"system", "developer"})
WEIGHT: Final = {"user": 0.4, "assistant": 0.2, "tool": 0.1, "function": 0.1}  # of the latest; then halves
SYSTEM_WEIGHT: Final = 0.1
HEAVIEST: Final = 2 * WEIGHT["user"] + SYSTEM_WEIGHT
LONGEST: Final = 4_000  # characters of one message of the context: half from its beginning, half from its end
CHARACTERS_PER_TOKEN: Final = 4.0
_CODE: Final = str.maketrans("", "", "{}[]<>=;_\\|#$@`~^&/")

NAMES: Final = (
    "log_turns",
    "log_context_tokens",
    "assistant_share",
    "tool_share",
    "system_share",
    "context_code_share",
)
"""What is said of a conversation as a whole, beside the statistics of its last message."""
ALONE: Final = (log1p(1), 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """One prompt taken apart: `main` in full, `context` with its weights, and numbers about the whole."""

    main: str
    context: tuple[tuple[str, float], ...] = ()
    whole: tuple[float, ...] = ALONE

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that a vector is needed of, `main` first."""
        return (self.main, *(text for text, _ in self.context))


def parts_of(prompt: str) -> Parts:
    """A prompt of a table or of a line: plain text, or a conversation in its written form."""
    turns = turns_in(prompt)
    return parts_of_turns(turns) if turns else Parts(prompt)


def parts_of_turns(turns: Sequence[Turn]) -> Parts:
    """A conversation of at least one message. Where the user says nothing, all of it is the question."""
    place = asked(turns)
    if place is None:
        return Parts("\n".join(turn.text for turn in turns))
    others = [turn for number, turn in enumerate(turns) if number != place and turn.text.strip()]
    if not others:
        return Parts(turns[place].text)
    return Parts(turns[place].text, _context(others), _whole(turns[place].text, others))


def _context(others: Sequence[Turn]) -> tuple[tuple[str, float], ...]:
    found: list[tuple[str, float]] = []
    spoken = [turn for turn in others if turn.role not in SYSTEM]
    for distance, turn in enumerate(reversed(spoken[-READ:]), start=1):
        found.append((_clipped(turn.text), WEIGHT.get(turn.role, SYSTEM_WEIGHT) * 0.5 ** (distance - 1)))
    ordered = [turn.text for turn in others if turn.role in SYSTEM]
    if ordered:
        found.append((_clipped("\n".join(ordered)), SYSTEM_WEIGHT))
    return tuple(found)


def _whole(main: str, others: Sequence[Turn]) -> tuple[float, ...]:
    lengths: dict[str, int] = dict.fromkeys(("assistant", "tool", "system"), 0)
    for turn in others:
        kind = "system" if turn.role in SYSTEM else "tool" if turn.role == "function" else turn.role
        lengths[kind] = lengths.get(kind, 0) + len(turn.text)
    around = sum(lengths.values())
    total = max(around + len(main), 1)
    read = "".join(_clipped(turn.text) for turn in others[-READ:])
    code = (len(read) - len(read.translate(_CODE))) / max(len(read), 1)
    shares = (lengths[kind] / total for kind in ("assistant", "tool", "system"))
    return (log1p(len(others) + 1), log1p(around / CHARACTERS_PER_TOKEN), *shares, code)


def _clipped(text: str) -> str:
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} {text[-half:]}"
