"""Train, validation and test, label by label; the same text never stands on two sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from edgewise.learning.distill.labelled import LabelledTable

LEAST = 10  # texts that a part needs for anything to be chosen by it


@dataclass(frozen=True, slots=True)
class Parts:
    """Three tables without a text in common; every label stands in `train`."""

    train: LabelledTable
    validation: LabelledTable
    test: LabelledTable


def parted(
    table: LabelledTable, test: LabelledTable | None = None, *, share: float = 0.1, seed: int = 0
) -> Parts:
    """Keep `share` of each label's texts for validation, and as much for the test unless one is given.

    The same table and seed give the same parts, whatever the order of the rows. A label with one text stands
    in `train` only. Raises `TableError` where too little is left to choose by.
    """
    places = _places(table, share, held_out=test is None, seed=seed)
    train, validation, rest = (
        [row for row, key in enumerate(table.keys) if places[key] == part] for part in range(3)
    )
    if len(validation) < LEAST or (test is None and len(rest) < LEAST):
        raise TableError(
            f"{table.file} has {len(places):,} different texts, too few to keep {LEAST} aside for choosing "
            "and for testing; collect about 20 a label at least."
        )
    held = table.rows(rest) if test is None else test
    return Parts(table.rows(train), table.rows(validation), held)


def _places(table: LabelledTable, share: float, *, held_out: bool, seed: int) -> dict[str, int]:
    """Each text's part: 0 train, 1 validation, 2 test."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for key, label in zip(table.keys, table.labels, strict=True):
        votes[key][label] += 1
    by_label: dict[str, list[str]] = defaultdict(list)
    for key, found in votes.items():  # a text with two labels counts for the more frequent one
        by_label[max(found, key=lambda name: (found[name], name))].append(key)
    places: dict[str, int] = {}
    for label, keys in sorted(by_label.items()):
        keys.sort(key=lambda key: sha256(f"{seed}:{key}".encode()).digest())
        # Rounded by a hash of the label, so that many rare labels lose the right share of texts in all.
        dice = int.from_bytes(sha256(f"{seed}:{label}".encode()).digest()[:4]) / 2**32
        aside = min(int(share * len(keys) + dice), (len(keys) - 1) // (2 if held_out else 1))
        for number, key in enumerate(keys):
            part = 1 if number < aside else 2 if held_out and number < 2 * aside else 0
            places[key] = part
    # Labels that stand in the rows of a text counted for another one must not be lost to training.
    trained = {label for key, found in votes.items() if places[key] == 0 for label in found}
    for key, found in votes.items():
        if not trained.issuperset(found):
            places[key] = 0
            trained.update(found)
    return places
