"""What people say of answers: sheets to fill in, files that were filled in, one line a rating."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import fmean
from typing import TYPE_CHECKING

from edgewise.domain.errors import TableError
from edgewise.features.conversations import prompt_of
from edgewise.learning.judge.answers import answer_key
from edgewise.learning.judge.kept import key_of
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.blind import Blind

# The columns that may hold a rating, and the best that can be given in each.
SCALES = {"quality": 1.0, "rating": 10.0, "stars": 5.0}
SHEET = ("id", "prompt", "response", "rating", "rater")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings (0 to 1) by answer and rater; the last one that a rater gave counts."""

    by_key: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def __len__(self) -> int:
        return sum(len(raters) for raters in self.by_key.values())

    def of(self, answer: Answer) -> dict[str, float]:
        """What each rater says of an answer; empty where nobody rated it."""
        found = self.by_key.get(answer.key, {})
        return found or self.by_key.get(_named(answer.prompt, answer.candidate), {})

    def quality(self, answer: Answer) -> float | None:
        """The mean of its ratings, or None."""
        found = self.of(answer)
        return fmean(found.values()) if found else None

    def put(self, key: str, rater: str, quality: float | None) -> None:
        """Note a rating; None takes it back."""
        raters = self.by_key.setdefault(key, {})
        if quality is None:
            raters.pop(rater, None)
        else:
            raters[rater] = quality


def read_ratings(paths: Iterable[Path]) -> Ratings:
    """The ratings in CSV files, or `TableError`, which names the line.

    A line has a rating (`quality` 0 to 1, `rating` 0 to 10 or `stars` 0 to 5; empty is none) and says of
    what: an `id` of a sheet of ours, or `prompt` with `response` or `candidate`; `rater` may say who.
    """
    found = Ratings()
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                names = [name for name in reader.fieldnames or [] if name]
                column = next((name for name in SCALES if name in names), None)
                _check_columns(path, names, column)
                for line, row in enumerate(reader, start=2):
                    rater = (row.get("rater") or "").strip() or path.name
                    found.put(_key(row), rater, _rating(row, column or "", path, line))
        except UnicodeDecodeError as error:
            raise TableError(f"{path.name} is not UTF-8 text; save it as UTF-8.") from error
        except csv.Error as error:
            raise TableError(f"{path.name} is no CSV: {error}.") from error
        except OSError as error:
            raise TableError(f"Cannot read {path}: {error.strerror or error}.") from error
    return found


def write_sheet(path: Path, answers: Sequence[Answer], blind: Blind, seed: int = 0) -> int:
    """A CSV to fill in: every different answer once, shuffled, without names. How many there are."""
    if path.exists():
        raise TableError(f"{path} is there already, perhaps with ratings in it; give another name.")
    shown = shuffled(answers, seed)
    try:
        with aside(str(path)) as raw:
            lines = [
                SHEET,
                *((a.key, a.prompt, blind.mask(a.response or "", a.prompt), "", "") for a in shown),
            ]
            for line in lines:
                raw.write(_csv_line([_tame(cell) for cell in line]))
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror or error}.") from error
    return len(shown)


def shuffled(answers: Iterable[Answer], seed: int) -> list[Answer]:
    """Each different answer that can be judged, once, in an order that depends on its words and the seed."""
    different = {answer.key: answer for answer in answers if answer.why_not is None}
    return sorted(different.values(), key=lambda a: sha256(f"{seed}:{a.key}".encode()).digest())


def ledger_of(table: Path) -> Path:
    """Where the ratings that are given by hand lie: beside the judged table."""
    return table.with_name(f"{table.name}.ratings.csv")


class Ledger:
    """A file of ratings that grows by a line a rating, each on disk before the next question."""

    COLUMNS = ("id", "quality", "rater", "prompt", "response")

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Ratings:
        """What stands in it; nothing where it does not exist yet."""
        return read_ratings([self._path]) if self._path.exists() else Ratings()

    def append(self, answer: Answer, rater: str, quality: float | None) -> None:
        """Write a rating down; None takes the last one back."""
        said = "" if quality is None else f"{quality:.4f}"
        line = (answer.key, said, rater, _tame(answer.prompt), _tame(answer.response or ""))
        try:
            is_new = not self._path.exists()
            with self._path.open("ab") as file:
                file.write((_csv_line(self.COLUMNS) if is_new else b"") + _csv_line(line))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise TableError(f"{self._path} cannot be written: {error.strerror or error}.") from error


def _check_columns(path: Path, names: Sequence[str], column: str | None) -> None:
    if column is None:
        raise TableError(
            f"{path.name} has no column `rating` (0 to 10), `quality` (0 to 1) or `stars` (0 to 5)."
        )
    if "id" not in names and not ("prompt" in names and {"response", "candidate"} & set(names)):
        raise TableError(
            f"{path.name} does not say what was rated: it needs `id`, "
            "or `prompt` with `response` or `candidate`."
        )


def _key(row: Mapping[str, str | None]) -> str:
    if named := (row.get("id") or "").strip():
        return named
    prompt = prompt_of(row.get("prompt"))
    if response := row.get("response"):
        return answer_key(prompt, response)
    return _named(prompt, (row.get("candidate") or "").strip())


def _named(prompt: str, candidate: str) -> str:
    return "by candidate: " + key_of(prompt, candidate)


def _rating(row: Mapping[str, str | None], column: str, path: Path, line: int) -> float | None:
    said, best = (row.get(column) or "").strip(), SCALES[column]
    if not said:
        return None
    try:
        value = float(said.replace(",", "."))
    except ValueError:
        raise TableError(f"{path.name}, line {line}: the {column} is {said[:40]!r}, not a number.") from None
    if not 0 <= value <= best:
        raise TableError(f"{path.name}, line {line}: the {column} {said[:40]} lies outside 0 to {best:g}.")
    return value / best


def _csv_line(cells: Iterable[str]) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (",".join(quoted) + "\r\n").encode("utf-8", "replace")


def _tame(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; the id says what was rated, whatever becomes of it."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
