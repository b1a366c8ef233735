"""CSV, JSONL and Parquet with a text and its label → a labelled table, and a sentence for each oddity."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import TableError
from edgewise.domain.keys import prompt_key
from edgewise.learning.tables.read import readable, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LONG = 2_000  # characters; 128 tokens of any language end before that
SHOWN = 3  # examples that a sentence names
LONGEST_SHOWN = 40  # characters of one example


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """Texts and their labels, row by row, and what was odd about the file, a sentence each.

    There are at least two labels, and no text or label is empty.
    """

    file: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(sorted(set(self.labels)))

    @property
    def keys(self) -> list[str]:
        """What makes two texts the same one, for splits: white space does not count."""
        return [prompt_key(text) for text in self.texts]

    def rows(self, chosen: Iterable[int], *notes: str) -> LabelledTable:
        """These rows alone; they need not hold two labels."""
        wanted = list(chosen)
        return LabelledTable(
            self.file,
            tuple(self.texts[row] for row in wanted),
            tuple(self.labels[row] for row in wanted),
            (*self.notes, *notes),
        )


def read_labelled(path: Path, text_column: str = "text", label_column: str = "label") -> LabelledTable:
    """Read a table to learn from; raises `TableError` where nothing can be learned from it.

    Empty cells are left out; labels that differ in nothing but case or white space become one. Both are said.
    """
    texts, labels, notes = _cells(path, text_column, label_column)
    labels, merged = one_spelling(labels)
    counts = Counter(labels)
    if len(counts) == 1:
        only, count = next(iter(counts.items()))
        raise TableError(
            f"{path.name} has one label only, {_quoted(only)}, in all of its {count:,} rows; "
            "a classifier needs two labels or more."
        )
    lone = sorted(name for name, count in counts.items() if count == 1)
    notes = [*notes, *merged, *_lone(lone), *_long(texts), *_torn(texts, labels)]
    return LabelledTable(path.name, tuple(texts), tuple(labels), tuple(f"{path.name}: {n}" for n in notes))


def read_held_out(
    path: Path, train: LabelledTable, text_column: str = "text", label_column: str = "label"
) -> LabelledTable:
    """Read a table to test on: texts that stand in the training table are left out, which is said.

    Labels take the training table's spelling. Raises `TableError` where nothing is left, or where a label is
    none that was trained.
    """
    texts, labels, notes = _cells(path, text_column, label_column)
    spelling = {_folded(name): name for name in train.names}
    strange = sorted({label for label in labels if _folded(label) not in spelling})
    if strange:
        raise TableError(
            f"{path.name} has {_count(len(strange), 'label')} that {train.file} does not have: "
            f"{_some(strange)}; test on labels that were trained."
        )
    known = set(train.keys)
    fresh = [row for row, text in enumerate(texts) if prompt_key(text) not in known]
    if not fresh:
        raise TableError(
            f"Every text of {path.name} stands in {train.file} too: nothing is left to test on; "
            "give a table of other texts, or none, and a part is kept aside."
        )
    if len(fresh) < len(texts):
        notes.insert(
            0,
            f"{len(texts) - len(fresh):,} of {len(texts):,} texts stand in {train.file} too; "
            "they were left out, and every figure is computed without them.",
        )
    table = LabelledTable(path.name, tuple(texts), tuple(spelling[_folded(label)] for label in labels))
    return table.rows(fresh, *(f"{path.name}: {note}" for note in notes))


def unseen(texts: Sequence[str], test: LabelledTable) -> tuple[list[str], str]:
    """Texts without labels that do not stand in the test part, and a sentence where there were such."""
    tested = set(test.keys)
    kept = [text for text in texts if prompt_key(text) not in tested]
    left = len(texts) - len(kept)
    note = f"{_count(left, 'text')} without a label left out: they stand in the test part." if left else ""
    return kept, note


def one_spelling(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each label in its most frequent spelling, whatever case or white space; a sentence for each merger."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        spellings[_folded(label)][label] += 1
    best = {key: max(found, key=lambda name: (found[name], name)).strip() for key, found in spellings.items()}
    notes = [
        f"the labels {_some(sorted(found), len(found))} differ in case or space only; "
        f"they are taken as one, {_quoted(best[key])}."
        for key, found in sorted(spellings.items())
        if len(found) > 1
    ]
    return [best[_folded(label)] for label in labels], notes


def _cells(path: Path, text_column: str, label_column: str) -> tuple[list[str], list[str], list[str]]:
    texts: list[str] = []
    labels: list[str] = []
    without_text = without_label = 0
    with readable(path), rows_of(path) as (names, rows):
        _check(path.name, names, text_column, label_column)
        for row in rows:
            text, label = _cell(row, text_column), _cell(row, label_column)
            if not text.strip():
                without_text += 1
            elif not label.strip():
                without_label += 1
            else:
                texts.append(text)
                labels.append(label)
    if not texts:
        raise TableError(
            f"{path.name} has no row with both a `{text_column}` and a `{label_column}`; "
            "there is nothing to learn from."
        )
    notes = [f"{_count(without_text, 'row')} with an empty text left out."] if without_text else []
    notes += [f"{_count(without_label, 'row')} without a label left out."] if without_label else []
    return texts, labels, notes


def _check(file: str, names: Sequence[str], text_column: str, label_column: str) -> None:
    if not names:
        raise TableError(f"{file} is empty; its first line should name columns: text, label.")
    if text_column == label_column:
        raise TableError(f"Text and label are both to come from the column '{text_column}'; name two.")
    for column, option in ((text_column, "--text-column"), (label_column, "--label-column")):
        if column not in names:
            raise TableError(
                f"{file} has no column `{column}`; it has {_some(names, 12)}. "
                f"Say which one it is: {option} NAME."
            )


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()


def _lone(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        f"{_count(len(names), 'label')} with one row only ({_some(names)}): that row is trained on, "
        "and nothing can be said of how well the label is known; add rows."
    ]


def _long(texts: Sequence[str]) -> list[str]:
    long = [len(text) for text in texts if len(text) > LONG]
    if not long:
        return []
    return [
        f"{_count(len(long), 'text')} of more than {LONG:,} characters (the longest has {max(long):,}): "
        "only the beginning of each is read."
    ]


def _torn(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    said: dict[str, set[str]] = defaultdict(set)
    for text, label in zip(texts, labels, strict=True):
        said[prompt_key(text)].add(label)
    torn = sum(len(found) > 1 for found in said.values())
    return [f"{_count(torn, 'text')} with more than one label; all rows are kept."] if torn else []


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _quoted(name: str) -> str:
    return repr(name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…")


def _some(names: Sequence[str], most: int = SHOWN) -> str:
    shown: list[str] = [_quoted(name) for name in names[:most]]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown) + more
