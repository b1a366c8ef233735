"""A prompts file that grows while prompts are made: whole after each batch, whatever happens meanwhile."""

from __future__ import annotations

import os
from collections import Counter, deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import msgspec
import numpy as np

from edgewise.domain.errors import StoreError
from edgewise.domain.keys import prompt_key
from edgewise.learning.prompts.files import Prompt, line_of, prompts_in_line, read_prompts
from edgewise.learning.tables.sketches import CHANCE, WIDTH, sketch
from edgewise.learning.tables.splits import NEAR
from edgewise.outcomes.aside import hold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

ROOM = 256
OURS = b'{"prompt":'  # how each of our lines begins
REMEMBERED = 200  # texts of each kind, to be shown to whoever writes more


class Growing:
    """The file at `path`, which takes prompts that it does not hold yet, nor anything near to them.

    What stands there already counts. `kinds` says how many there are of each, `texts` holds the latest that
    are not private, and `duplicates` and `near` count what was not taken. Use it in a `with` block. Raises
    `TableError` where the file is none of prompts, `StoreError` where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._keys: set[str] = set()
        self._sketches: NDArray[np.uint8] = np.empty((ROOM, WIDTH), np.uint8)
        self.kinds: Counter[str | None] = Counter()
        self.texts: dict[str | None, deque[str]] = {}
        self.duplicates = self.near = 0

    def __enter__(self) -> Self:
        try:
            with ExitStack() as failing:
                file = failing.enter_context(self.path.open("ab"))
                hold(file.fileno(), self.path)
                if file.tell():
                    _mend(self.path)
                if self.path.stat().st_size:
                    for prompt in read_prompts(self.path):
                        self._note(prompt, sketch([prompt.prompt])[0])
                self._file = file
                failing.pop_all()
        except OSError as error:
            raise StoreError(f"Cannot write {self.path}: {error.strerror or error}.") from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self.kinds.total()

    def add(self, prompts: Iterable[Prompt]) -> list[Prompt]:
        """Write those that are new, which are on disk when this returns."""
        if self._file is None:
            raise StoreError(f"{self.path} is not open.")
        taken: list[Prompt] = []
        for prompt in prompts:
            if prompt_key(prompt.prompt) in self._keys:
                self.duplicates += 1
                continue
            drawn = sketch([prompt.prompt])[0]
            if self._is_near(drawn):
                self.near += 1
                continue
            self._note(prompt, drawn)
            taken.append(prompt)
        if taken:
            try:
                self._file.write(b"".join(map(line_of, taken)))
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise StoreError(f"Cannot write {self.path}: {error.strerror or error}.") from error
        return taken

    def _is_near(self, drawn: NDArray[np.uint8]) -> bool:
        known = self._sketches[: len(self)]
        equal = (known == drawn).mean(axis=1).max(initial=0.0)
        return bool((equal - CHANCE) / (1 - CHANCE) >= NEAR)

    def _note(self, prompt: Prompt, drawn: NDArray[np.uint8]) -> None:
        place = len(self)
        if place == len(self._sketches):
            self._sketches = np.concatenate([self._sketches, np.empty_like(self._sketches)])
        self._sketches[place] = drawn
        self._keys.add(prompt_key(prompt.prompt))
        self.kinds[prompt.kind] += 1
        if prompt.privacy is None:
            self.texts.setdefault(prompt.kind, deque(maxlen=REMEMBERED)).append(prompt.prompt)


def _mend(path: Path) -> None:
    """Take away a last line that was cut off in the middle: the process was killed while it wrote.

    A file of something else stays as it is: whoever reads it on says what is wrong with it.
    """
    with path.open("rb+") as file:
        data = file.read()
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if not rest:
            return
        if _is_prompt(rest, path):
            file.write(b"\n")
        elif _is_torn(rest) and _is_prompt(data[: data.find(b"\n")], path):
            file.truncate(end)
        elif not end and rest.startswith(OURS) and _is_torn(rest):
            file.truncate(0)


def _is_prompt(line: bytes, path: Path) -> bool:
    try:
        return isinstance(prompts_in_line(line.decode(), path.name), Prompt)
    except UnicodeDecodeError:
        return False


def _is_torn(line: bytes) -> bool:
    """Whether a line begins as ours do, and is no JSON."""
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return line.startswith(OURS[: len(line)])
    return False
