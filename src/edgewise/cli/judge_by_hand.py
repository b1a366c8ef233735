"""Rating answers by hand, in the terminal: one key an answer; nobody sees who gave it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from getpass import getuser
from typing import TYPE_CHECKING

from edgewise.cli.console import err, out

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.ratings import Ledger

NINE, TEN = 9, 10
SKIP, UNDO, QUIT = "s", "u", "q"
FIVE_STARS = "+"
ENDED = ("", "\x03", "\x04")  # the end of input, Ctrl-C, Ctrl-D
DIGITS = "0123456789"
HELP = "0 (worthless) to 9 (perfect)   s skip   u undo   q quit"
HELP_STARS = "half stars: 0 to 9, + for five whole ones   s skip   u undo   q quit"


def rate(
    answers: Sequence[Answer], target: Path, *, rater: str = "", stars: bool = False, seed: int = 0
) -> bool:
    """Show what this rater has not rated yet, in a drawn order; whether all was gone through.

    Each rating is on disk before the next answer is shown, in a file beside `target`.
    """
    from edgewise.learning.judge.answers import names_in  # noqa: PLC0415 - needs the extra
    from edgewise.learning.judge.blind import Blind  # noqa: PLC0415 - the same
    from edgewise.learning.judge.ratings import Ledger as Book  # noqa: PLC0415 - the same
    from edgewise.learning.judge.ratings import ledger_of, shuffled  # noqa: PLC0415 - the same

    who, path = rater or _login(), ledger_of(target)
    ledger, blind = Book(path), Blind(names_in(answers))
    known = ledger.read().by_key
    todo = [a for a in shuffled(answers, seed) if who not in known.get(a.key, {})]
    with _keys() as key:
        seen, rated = _through(todo, ledger, blind.mask, key, who=who, stars=stars)
    left = len(todo) - rated
    err(f"{path}: {left:,} left to rate." if left else f"{path}: all are rated.")
    if seen < len(todo):
        err("The same command goes on from here.")
    return seen >= len(todo)


def write_ratings_for(path: Path, answers: Sequence[Answer], seed: int) -> None:
    """Write a sheet for people to fill in, and say so."""
    from edgewise.learning.judge.answers import names_in  # noqa: PLC0415 - needs the extra
    from edgewise.learning.judge.blind import Blind  # noqa: PLC0415 - the same
    from edgewise.learning.judge.ratings import write_sheet  # noqa: PLC0415 - the same

    count = write_sheet(path, answers, Blind(names_in(answers)), seed)
    err(f"{path}: {count:,} answers to rate, 0 to 10, in the column `rating`. Read it with --ratings {path}.")


def _through(  # noqa: PLR0913 - what a walk through the answers needs
    todo: Sequence[Answer],
    ledger: Ledger,
    mask: Callable[[str, str], str],
    key: Callable[[], str],
    *,
    who: str,
    stars: bool,
) -> tuple[int, int]:
    """How many were gone through, and how many of them were rated."""
    place, rated = 0, list[int]()
    while place < len(todo):
        _show(todo[place], mask, place, len(todo), stars=stars)
        while True:
            pressed = key()
            if pressed in (QUIT, *ENDED):
                return place, len(rated)
            if pressed == SKIP:
                place += 1
                break
            if pressed == UNDO and rated:
                place = rated.pop()
                ledger.append(todo[place], who, None)
                break
            if (quality := _quality(pressed, stars=stars)) is not None:
                ledger.append(todo[place], who, quality)
                rated.append(place)
                place += 1
                break
    return place, len(rated)


def _quality(pressed: str, *, stars: bool) -> float | None:
    if stars and pressed == FIVE_STARS:
        return 1.0
    if len(pressed) != 1 or pressed not in DIGITS:
        return None
    return int(pressed) / (TEN if stars else NINE)


def _show(answer: Answer, mask: Callable[[str, str], str], place: int, count: int, *, stars: bool) -> None:
    from edgewise.outcomes.plain import harmless  # noqa: PLC0415 - loads when something is shown

    out(f"\n── {place + 1} of {count} " + "─" * 40)
    out(harmless(answer.prompt))
    out("── answer " + "─" * 46)
    out(harmless(mask(answer.response or "", answer.prompt)))
    out("─" * 56)
    out(HELP_STARS if stars else HELP)


@contextmanager
def _keys() -> Generator[Callable[[], str]]:
    """What reads one key: at once from a terminal, otherwise the first character of a line."""
    if not sys.stdin.isatty() or sys.platform == "win32":

        def line() -> str:
            said = sys.stdin.readline()
            return said.strip()[:1].lower() or (" " if said else "")

        yield line
        return
    import termios  # noqa: PLC0415 - not on every platform
    import tty  # noqa: PLC0415 - the same

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield lambda: sys.stdin.read(1).lower()
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _login() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # an account without a name
        return "me"
