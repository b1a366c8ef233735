"""Prompts as they come → a prompts file: without duplicates, split by prompt, as many as asked for."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec.structs import replace

from edgewise.domain.errors import StoreError, TableError
from edgewise.domain.keys import prompt_key
from edgewise.domain.privacy import privacy_of
from edgewise.learning.prompts.duplicates import firsts_of, near_groups, sketched
from edgewise.learning.prompts.files import Prompt, prompt_from, write_prompts
from edgewise.learning.prompts.pile import Pile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

    from edgewise.learning.prompts.files import Split
    from edgewise.learning.prompts.pile import Label

    Numbers = NDArray[np.int64]

SIDES: tuple[Split, ...] = ("train", "test")
PROGRESS = 100_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What becomes of prompts. Raises `TableError` for a number that makes no sense.

    `near` drops near-duplicates; they stand on one side of the split either way. `test` is the share that is
    kept aside for testing, `resplit` says that a prompt's own split does not count. `balance` leaves equally
    many of each kind, group or level on either side, and `most` no more than so many prompts, by a draw that
    `seed` decides. Prompts whose checks differ are not duplicates, however near they are.
    """

    near: bool = True
    test: float = 0.2
    resplit: bool = False
    balance: Label | None = None
    most: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.test <= 1:
            raise TableError(f"--test is a share from 0 to 1, found {self.test:g}.")
        if self.most is not None and self.most < 1:
            raise TableError(f"--number must be at least 1, found {self.most}.")


@dataclass(frozen=True, slots=True)
class Tidied:
    """What became of the prompts that were `read`, in prompts.

    `sampled` were too many to look at, `duplicates` and `near` were left out as such, `undrawn` to balance
    or to bound the rest; `kept` were written, of them `test` for testing.
    """

    read: int
    sampled: int
    duplicates: int
    near: int
    undrawn: int
    kept: int
    test: int


def tidy(
    prompts: Iterable[Prompt], path: Path, rules: Rules, progress: Callable[[str], None] | None = None
) -> Tidied:
    """Write a prompts file of these prompts, in memory that does not grow with them.

    Raises `StoreError` where it cannot be written.
    """
    try:
        folder = path.resolve().parent  # not the folder for temporary files, which may be memory
        with tempfile.TemporaryFile(dir=folder) as lines, tempfile.TemporaryFile(dir=folder) as sketches:
            pile = Pile(lines, seed=rules.seed, label=rules.balance)
            for prompt in prompts:
                pile.add(prompt)
                if progress and pile.read % PROGRESS == 0:
                    progress(f"{pile.read:,} prompts read")
            return _written(pile, sketches, path, rules)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StoreError(f"Cannot write {path}: {error.strerror or error}.") from error


def side_of(prompt: str, test: float) -> Split:
    """The side that a prompt's hash puts it on, wherever and with whatever others it stands."""
    return "test" if int(prompt_key(prompt)[:16], 16) < test * 2.0**64 else "train"


def _written(pile: Pile, sketches: IO[bytes], path: Path, rules: Rules) -> Tidied:
    rows = pile.rows()
    firsts = firsts_of(rows["key"])
    only = np.flatnonzero(firsts == np.arange(len(rows)))
    texts = (_prompt(line).prompt for line in pile.lines(rows["line"][only]))
    groups = near_groups(sketches, sketched(texts, sketches))
    keepers = firsts_of(_mixed(groups, rows["check"][only])) if rules.near else np.arange(len(only))
    stays = np.flatnonzero(keepers == np.arange(len(only)))
    sides = _sides(rows[only], rules)[groups]  # a group stands where its first stands
    drawn = stays[_draw(rows[only[stays]], sides[stays], rules)]
    promises = _promises(pile, rows, keepers[np.searchsorted(only, firsts)])
    lines = pile.lines(rows["line"][only[drawn]])
    written = write_prompts(_final(lines, drawn, sides, promises), path)
    return Tidied(
        read=pile.read,
        sampled=pile.read - len(rows),
        duplicates=len(rows) - len(only),
        near=len(only) - len(stays),
        undrawn=len(stays) - written,
        kept=written,
        test=int(sides[drawn].sum()),
    )


def _prompt(line: bytes) -> Prompt:
    found = prompt_from(msgspec.json.decode(line))
    if isinstance(found, str):  # we wrote it ourselves
        raise TableError(f"A prompt {found}.")
    return found


def _mixed(groups: Numbers, checks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for a group and a check together."""
    return groups.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ checks


def _sides(rows: NDArray[np.void], rules: Rules) -> NDArray[np.int8]:
    """(n,) 1 for the test side: a prompt's own, else that of its hash."""
    hashed = (rows["key"].astype(np.float64) < rules.test * 2.0**64).astype(np.int8)
    return hashed if rules.resplit else np.where(rows["side"] < 0, hashed, rows["side"])


def _draw(rows: NDArray[np.void], sides: NDArray[np.int8], rules: Rules) -> Numbers:
    """The places of the prompts that are kept, in order: balanced, and in proportion where they are many."""
    places = np.arange(len(rows))
    strata = np.stack([sides, rows["label"]]) if rules.balance else sides[None].astype(np.int32)
    _, stratum, sizes = np.unique(strata, axis=1, return_inverse=True, return_counts=True)
    stratum = stratum.reshape(-1)
    order = np.lexsort((rows["lot"], stratum))
    rank = np.empty(len(rows), np.int64)
    rank[order] = places - np.repeat(np.cumsum(sizes) - sizes, sizes)
    quota = sizes.copy()
    if rules.balance:
        for side in (0, 1):
            its = np.unique(stratum[sides == side])
            quota[its] = sizes[its].min(initial=len(rows))
    kept = places[rank < quota[stratum]]
    if rules.most is not None:
        turn = (rank[kept] + 0.5) / quota[stratum[kept]]
        kept = np.sort(kept[np.lexsort((rows["lot"][kept], turn))[: rules.most]])
    return kept


def _promises(pile: Pile, rows: NDArray[np.void], keepers: Numbers) -> dict[int, str | None]:
    """What was promised for each prompt, or for one that was left out as its duplicate."""
    names = list(pile.promises)
    found: dict[int, str | None] = {}
    promised = np.flatnonzero(rows["promise"])
    said: list[int] = rows["promise"][promised].tolist()
    for keeper, number in zip(keepers[promised].tolist(), said, strict=True):
        found[keeper] = privacy_of(found.get(keeper), names[number])
    return found


def _final(
    lines: Iterator[bytes], drawn: Numbers, sides: NDArray[np.int8], promises: dict[int, str | None]
) -> Iterator[Prompt]:
    for place, line in zip(drawn.tolist(), lines, strict=True):
        prompt = _prompt(line)
        change: dict[str, Any] = {"split": SIDES[sides[place]]}
        if place in promises:
            change["privacy"] = promises[place]
        yield replace(prompt, **change)
