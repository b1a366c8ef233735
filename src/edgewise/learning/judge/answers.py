"""What is to be judged: the rows of a profile or of any outcome table, as they stand in the file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from edgewise.domain.errors import TableError
from edgewise.domain.keys import prompt_key
from edgewise.domain.privacy import LOCAL, privacy_of
from edgewise.features.conversations import prompt_of
from edgewise.learning.judge.kept import key_of
from edgewise.learning.tables.layout import ALIASES
from edgewise.learning.tables.read import readable, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

OUTCOMES = "outcomes.jsonl"  # of a profile's folder
OK = "ok"
FAILED, NO_ANSWER = "The call failed: there is no answer.", "There is no answer to judge."
SHORT = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: what was asked, and what a candidate answered.

    `response` is None where no answer is known, `check` what a verifiable grader needs. `quality` (0 to 1) is
    what the table says already. `key` stands for prompt and response: what is judged once.
    """

    row: Mapping[str, Any]
    number: int
    prompt: str
    candidate: str
    response: str | None
    failed: bool
    check: Mapping[str, Any] | None
    privacy: str | None
    quality: float | None

    @property
    def key(self) -> str:
        """The same for the same words, whoever said them."""
        return answer_key(self.prompt, self.response or "")

    @property
    def why_not(self) -> str | None:
        """Why there is nothing to judge, or None."""
        if self.failed:
            return FAILED
        return NO_ANSWER if self.response is None else None


def answer_key(prompt: str, response: str) -> str:
    """A short name for a prompt and an answer to it."""
    return key_of(prompt, response)[:SHORT]


def table_in(what: Path) -> Path:
    """The table that `what` names: itself, or that of a profile's folder. Raises `TableError`."""
    if not what.is_dir():
        return what
    table = what / OUTCOMES
    if not table.is_file():
        raise TableError(f"{what} holds no {OUTCOMES}: it is no profile. `edgewise profile` makes one.")
    return table


def read_answers(
    path: Path, *, columns: Mapping[str, str] | None = None, quality_scale: float = 1.0, again: bool = False
) -> list[Answer]:
    """The rows of a table. With `again` the qualities that it has do not count.

    Raises `TableError` where a row cannot be used, and names it.
    """
    found: list[Answer] = []
    with readable(path), rows_of(path) as (names, rows):
        if not names:
            raise TableError(f"{path.name} is empty; there is nothing to judge.")
        of = {ours: _column(ours, names, columns or {}, path) for ours in WANTED}
        for ours in ("prompt", "candidate", "response"):
            if of[ours] is None:
                raise TableError(
                    f"{path.name} has no column `{ours}`; it has {', '.join(names[:12])}. "
                    f"Say which one it is: --columns {ours}=NAME."
                )
        for number, row in enumerate(rows, start=1):
            answer = _answer(row, number, of, path.name, quality_scale)
            if answer is not None:
                found.append(_forgotten(answer) if again else answer)
    if not found:
        raise TableError(f"{path.name} has no row with a prompt and a candidate; there is nothing to judge.")
    return found


def privacies(answers: Iterable[Answer]) -> dict[str, str | None]:
    """Each prompt's privacy: of what its rows say, the strictest. What is not understood is `local`."""
    found: dict[str, str | None] = {}
    keys: dict[str, str] = {}
    for answer in answers:
        key = keys.setdefault(answer.prompt, prompt_key(answer.prompt))
        try:
            found[key] = privacy_of(found.get(key), answer.privacy)
        except ValueError:
            found[key] = LOCAL
    return {prompt: found[key] for prompt, key in keys.items()}


def names_in(answers: Iterable[Answer]) -> set[str]:
    """Every candidate's id: what judges must not read."""
    return {answer.candidate for answer in answers}


WANTED = ("prompt", "candidate", "response", "check", "privacy", "quality", "status")


def _column(ours: str, names: Sequence[str], given: Mapping[str, str], path: Path) -> str | None:
    if ours in given:
        if given[ours] not in names:
            raise TableError(f"{path.name} has no column '{given[ours]}'; it has {', '.join(names[:12])}.")
        return given[ours]
    return next((name for name in (ours, *ALIASES.get(ours, ())) if name in names), None)


def _answer(
    row: Mapping[str, Any], number: int, of: Mapping[str, str | None], file: str, scale: float
) -> Answer | None:
    def cell(ours: str) -> Any:
        return row.get(of[ours] or "")

    prompt, candidate = prompt_of(cell("prompt")), str(cell("candidate") or "").strip()
    if not prompt.strip() or not candidate:
        return None
    response = cell("response")
    typed = not file.lower().removesuffix(".gz").endswith((".csv", ".tsv"))
    if response is not None and not isinstance(response, str):
        raise TableError(f"{file}, row {number}: the response is no text.")
    status = str(cell("status") or OK)
    return Answer(
        row=row,
        number=number,
        prompt=prompt,
        candidate=candidate,
        response=response if response or (typed and response is not None) else None,
        failed=status != OK,
        check=_check(cell("check"), number, file),
        privacy=str(cell("privacy") or "") or None,
        quality=_quality(cell("quality"), number, file, scale),
    )


def _forgotten(answer: Answer) -> Answer:
    return Answer(
        answer.row, answer.number, answer.prompt, answer.candidate, answer.response, answer.failed,
        answer.check, answer.privacy, None,
    )  # fmt: skip


def _check(value: Any, number: int, file: str) -> Mapping[str, Any] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise TableError(f"{file}, row {number}: `check` is not JSON.") from None
    if not isinstance(value, dict):
        raise TableError(f'{file}, row {number}: `check` is no object such as {{"grader": "numeric", …}}.')
    return cast("Mapping[str, Any]", value)


def _quality(value: Any, number: int, file: str, scale: float) -> float | None:
    if value is None or value == "":
        return None
    try:
        found = float(value) / scale
    except (TypeError, ValueError, OverflowError):
        raise TableError(f"{file}, row {number}: quality is {str(value)[:40]!r}, not a number.") from None
    if math.isnan(found):
        return None
    if not 0 <= found <= 1:
        hint = "" if scale > 1 else "; give the scale, for example --quality-scale 100"
        raise TableError(f"{file}, row {number}: quality {value} lies outside 0 to {scale:g}{hint}.")
    return found
