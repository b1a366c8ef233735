"""A profile on disk: what was asked, and what came of it. Both only grow, and survive a kill.

A call is named in `asked.jsonl` before it is made, and has its row in `outcomes.jsonl` once it has ended.
Both lines are handed to the operating system at once, so that a process that is killed loses neither; they
are forced to the disk in groups, so that a power cut can cost the last second. A call that was asked and has
no row was under way at a kill: it may have been paid, so it is not asked again but written down as lost.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from edgewise.domain.errors import StoreError
from edgewise.learning.profile.rows import call_name
from edgewise.outcomes.aside import aside, hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgewise.learning.profile.rows import Call, Row

T = TypeVar("T")
OUTCOMES, ASKED, ASIDE = "outcomes.jsonl", "asked.jsonl", "set-aside.jsonl"
PIECE = 1 << 20


class Asked(Struct, frozen=True, omit_defaults=True):
    """A line of `asked.jsonl`: a call that is about to be made, and the most that it can cost, in USD.

    A warm-up call has no prompt. `withdrawn` says of the call that it was not made after all.
    """

    candidate: str
    most_usd: float = 0.0
    prompt_hash: str = ""
    repeat: int = 0
    withdrawn: bool = False

    @property
    def name(self) -> int:
        """The number of the call."""
        return call_name(self.prompt_hash, self.candidate, self.repeat)


class Ended(Struct, frozen=True):
    """What resuming reads of a row."""

    prompt_hash: str
    candidate: str
    status: str
    repeat: int = 0
    cost_usd: float | None = None

    @property
    def name(self) -> int:
        """The number of the call."""
        return call_name(self.prompt_hash, self.candidate, self.repeat)


_encode = msgspec.json.Encoder().encode


class Names:
    """Many calls by their numbers, eight bytes each."""

    def __init__(self, names: array[int]) -> None:
        self._sorted = array("Q", sorted(names))

    def __contains__(self, name: int) -> bool:
        place = bisect_left(self._sorted, name)
        return place < len(self._sorted) and self._sorted[place] == name

    def __len__(self) -> int:
        return len(self._sorted)


class Journal:
    """The two files of `folder`, opened for one process. Raises `StoreError` where they cannot be used.

    `done` are the calls that had ended at the start; `lost` those that had been asked and had not, with the
    most that each can have cost. `spent_usd` is what all of them cost so far; warm-up calls count as the most
    that they could. With `again` what failed or was lost is set aside and counts as never asked.
    """

    def __init__(self, folder: Path, *, again: bool = False) -> None:
        self.folder = folder
        self._unsynced = False
        self.done, self.lost, self.spent_usd = Names(array("Q")), dict[int, float](), 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("a")
            with ExitStack() as failing:
                failing.callback(self._lock.close)
                self._open(again=again)
                failing.pop_all()
        except OSError as error:
            raise StoreError(f"{folder} cannot be used: {error.strerror or error}.") from error

    def ask(self, call: Call, most_usd: float) -> None:
        """Write down that this call is about to be made."""
        self._write(self._asked, Asked(call.candidate.id, most_usd, call.key, call.repeat))

    def withdraw(self, call: Call) -> None:
        """Write down that the call was not made: its candidate never began with it."""
        self._write(self._asked, Asked(call.candidate.id, 0.0, call.key, call.repeat, withdrawn=True))

    def warm(self, candidate: str, most_usd: float) -> None:
        """Write down that this candidate is about to get a call that is not measured."""
        self._write(self._asked, Asked(candidate, most_usd))

    def end(self, row: Row) -> None:
        """Write down what came of a call."""
        self._write(self._outcomes, row)

    def sync(self) -> None:
        """Force to the disk what was written. Blocks: call it in a thread."""
        if not self._unsynced:
            return
        self._unsynced = False
        for file in (self._asked, self._outcomes):
            with suppress(OSError):  # some file systems know no such thing; the next write says what is wrong
                os.fsync(file)

    def close(self) -> None:
        """Force everything to the disk, and let other processes in."""
        self.sync()
        os.close(self._outcomes)
        os.close(self._asked)
        self._lock.close()

    def _write(self, file: int, line: Struct) -> None:
        rest = _encode(line) + b"\n"
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written: {error.strerror or error}.") from error
        self._unsynced = True

    def _open(self, *, again: bool) -> None:
        hold(self._lock.fileno(), self.folder)
        for name in (OUTCOMES, ASKED):
            mend(self.folder / name)
        if again:
            set_aside(self.folder)
        self._read()
        self._outcomes, self._asked = (_append(self.folder / name) for name in (OUTCOMES, ASKED))

    def _read(self) -> None:
        done = array("Q")
        for name in (OUTCOMES, ASIDE):
            for row in lines(self.folder / name, Ended):
                self.spent_usd += row.cost_usd or 0.0
                if name == OUTCOMES:
                    done.append(row.name)
        self.done = Names(done)
        for line in lines(self.folder / ASKED, Asked):
            if not line.prompt_hash:
                self.spent_usd += line.most_usd
            elif line.withdrawn:
                self.lost.pop(line.name, None)
            elif line.name not in self.done:
                self.lost[line.name] = line.most_usd
        self.spent_usd += sum(self.lost.values())


def mend(path: Path) -> None:
    """Make a file of lines end with its last whole one. A last line that lacks but its end is whole."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = _last_end(file, size)
        if whole == size:
            return
        file.seek(whole)
        tail = file.read()
        try:
            msgspec.json.decode(tail)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            file.truncate(whole)
        else:
            file.write(b"\n")


def lines(path: Path, kind: type[T]) -> Iterator[T]:
    """Each line of a file as a `kind`; none of a file that is absent. Raises `StoreError` with the line."""
    for _, found in _whole_lines(path, kind):
        yield found


def _whole_lines(path: Path, kind: type[T]) -> Iterator[tuple[bytes, T]]:
    decode = msgspec.json.Decoder(kind).decode
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield line, decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise StoreError(
                    f"{path}, line {number} is damaged; take it out, or choose another folder."
                ) from None


def set_aside(folder: Path) -> None:
    """Move the rows of calls that brought no whole answer to `set-aside.jsonl`: they count as never asked.

    What they cost stays counted. Cut off at any point, no call is forgotten that has not been moved.
    """
    moved, kept = set[int](), array("Q")
    with (folder / ASIDE).open("ab") as out:
        for line, row in _whole_lines(folder / OUTCOMES, Ended):
            if row.status == "ok":
                kept.append(row.name)
            else:
                out.write(line)
                moved.add(row.name)
        out.flush()
        os.fsync(out.fileno())
    _rewrite(
        folder / OUTCOMES,
        (line for line, row in _whole_lines(folder / OUTCOMES, Ended) if row.status == "ok"),
    )
    names = Names(kept)
    asked = _whole_lines(folder / ASKED, Asked)
    _rewrite(folder / ASKED, (_kept(line, one, names, moved) for line, one in asked))


def _append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def _rewrite(path: Path, kept: Iterator[bytes]) -> None:
    if not path.exists():
        return
    with aside(str(path)) as file:
        file.writelines(kept)


def _kept(line: bytes, asked: Asked, done: Names, moved: set[int]) -> bytes:
    """The line of a call that is not asked again; of one that is, what it may have cost."""
    if not asked.prompt_hash or asked.name in done:
        return line
    if asked.withdrawn or asked.name in moved:
        return b""
    return _encode(Asked(asked.candidate, asked.most_usd)) + b"\n"


def _last_end(file: IO[bytes], size: int) -> int:
    """Where the last whole line of a file ends."""
    start = size
    while start:
        step = min(PIECE, start)
        start -= step
        file.seek(start)
        if (found := file.read(step).rfind(b"\n")) >= 0:
            return start + found + 1
    return 0
