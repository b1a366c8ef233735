"""Prompts that were read: their lines on disk, numbers about them in memory, of a bounded count.

Of more than `MOST` prompts a random sample is kept, drawn by the prompts' hashes: every copy of a prompt is
in it or none, whichever order they come in.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct as Packing
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import numpy as np

from edgewise.domain.keys import prompt_key
from edgewise.learning.prompts.files import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edgewise.learning.prompts.files import Prompt

Label: TypeAlias = Literal["kind", "group", "level"]
MOST = 500_000
ALL = 2**64
_ROW = Packing("<qQQQbii")
ROWS = np.dtype(
    [
        ("line", "<i8"),
        ("key", "<u8"),
        ("check", "<u8"),
        ("lot", "<u8"),
        ("side", "i1"),
        ("label", "<i4"),
        ("promise", "<i4"),
    ]
)


class Pile:
    """A growing pile. `labels` and `promises` name what `rows` give numbers of; 0 stands for none.

    `side` is -1 where a prompt has no split of its own.
    """

    def __init__(self, file: IO[bytes], *, seed: int = 0, label: Label | None = None) -> None:
        self._file, self._seed, self._label = file, seed, label
        self._packed = bytearray()
        self._below = ALL
        self._lines = 0
        self.read = 0
        self.labels: dict[Any, int] = {None: 0}
        self.promises: dict[str | None, int] = {None: 0}

    def add(self, prompt: Prompt) -> None:
        """Take one more."""
        self.read += 1
        key = prompt_key(prompt.prompt)
        lot = _number(f"{self._seed}:{key}".encode())
        if lot >= self._below:
            return
        label = getattr(prompt, self._label) if self._label else None
        self._packed += _ROW.pack(
            self._lines,
            int(key[:16], 16),
            _number(msgspec.json.encode(prompt.check, order="deterministic")),
            lot,
            -1 if prompt.split is None else int(prompt.split == "test"),
            self.labels.setdefault(label, len(self.labels)),
            self.promises.setdefault(prompt.privacy, len(self.promises)),
        )
        self._file.write(line_of(prompt))
        self._lines += 1
        while len(self._packed) > MOST * ROWS.itemsize:
            self._thin()

    @property
    def sampled(self) -> bool:
        """Whether there were too many."""
        return self._below < ALL

    def rows(self) -> NDArray[np.void]:
        """The numbers: line, key, check, lot (the smaller, the sooner drawn), side, label, promise."""
        return np.frombuffer(bytes(self._packed), ROWS)

    def lines(self, wanted: NDArray[np.int64]) -> Iterator[bytes]:
        """The lines of these numbers, which ascend."""
        self._file.seek(0)
        numbers = iter(wanted.tolist())
        due = next(numbers, None)
        for number, line in enumerate(self._file):
            if number == due:
                yield line
                due = next(numbers, None)
            if due is None:
                return

    def _thin(self) -> None:
        self._below //= 2
        rows = self.rows()
        self._packed = bytearray(rows[rows["lot"] < self._below].tobytes())


def _number(data: bytes) -> int:
    return int.from_bytes(sha256(data).digest()[:8])
