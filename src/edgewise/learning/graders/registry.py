"""The graders by name, and grading as everything else knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.domain.errors import TableError
from edgewise.learning.graders.choice import Choice
from edgewise.learning.graders.code import Code
from edgewise.learning.graders.exact import Exact
from edgewise.learning.graders.grades import Grade, wrong
from edgewise.learning.graders.json_schema import JsonSchema
from edgewise.learning.graders.numeric import Numeric
from edgewise.learning.graders.regex import Regex
from edgewise.learning.graders.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.learning.graders.grades import Grader

GRADERS: dict[str, type[Exact | Numeric | Choice | Regex | JsonSchema | Code]] = {
    "exact": Exact,
    "numeric": Numeric,
    "choice": Choice,
    "regex": Regex,
    "json_schema": JsonSchema,
    "code": Code,
}
LONGEST = 100_000
NOT_RUN = "The answer's code was not run: that needs --run-code."
RUNNING = frozenset({"code"})  # graders that run what a model wrote


def grader_of(check: Mapping[str, Any]) -> Grader:
    """The grader that a check describes. Raises `TableError` with one sentence for what is none."""
    kind = GRADERS.get(str(check.get("grader")))
    if kind is None:
        found = check.get("grader")
        said = f"names the grader {found!r}" if found is not None else "names no `grader`"
        raise TableError(f"The check {said}; there is {', '.join(GRADERS)}.")
    try:
        grader: Grader = msgspec.convert(dict(check), kind)
    except msgspec.ValidationError as error:
        said = str(error).replace(" - at `$.", " at `").replace(" - at `$`", "")
        raise TableError(f"The check of the grader {check['grader']} is none: {said}.") from None
    if problem := grader.problem():
        raise TableError(f"The check of the grader {check['grader']} is none: {problem}.")
    return grader


def grade(check: Mapping[str, Any], response: str, *, run_code: bool = False) -> Grade:
    """How good an answer is by a prompt's check. Blocks, for code up to its time limit; for any thread.

    With `run_code` the grader `code` may run what a model wrote; without it nobody has judged such answers.
    Raises `TableError` for a check that is none, `MissingExtra` without the library that it needs.
    """
    grader = grader_of(check)
    if not spoken(response):
        return wrong("The answer is empty.")
    if len(response) > LONGEST:
        return wrong(f"The answer is longer than {LONGEST:,} characters.")
    if check["grader"] in RUNNING and not run_code:
        return Grade(None, NOT_RUN)
    return grader.grade(response)
