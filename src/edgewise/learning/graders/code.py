"""Grader `code`: a Python function, tried on arguments whose results are known."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.sandbox import Crash, Unsafe, run
from edgewise.learning.graders.wording import spoken

FENCED = re.compile(r"```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL | re.IGNORECASE)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")
LONGEST = 50_000  # characters of code that are run
MOST_CASES = 1_000


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the function gets, and what it must give back; both as JSON."""

    args: list[Any]
    result: Any


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is code whose `function` gives every case's result within `timeout_s` in all.

    The code runs in a process of its own, which has the arguments and never the results: those are compared
    here. Whatever the code prints, patches or exits with, only right results get full marks. Tuples come
    back as lists. Without leave to run code nobody has judged the answer.
    """

    grader: str = "code"
    function: str
    cases: tuple[Case, ...]
    timeout_s: float = 5.0

    def problem(self) -> str | None:
        """Nothing to call, or nothing to try it on."""
        if not NAME.fullmatch(self.function):
            return "`function` is not the name of a Python function"
        if not 0 < len(self.cases) <= MOST_CASES:
            return f"`cases` are not from 1 to {MOST_CASES:,}"
        return None if 0 < self.timeout_s <= 60 else "`timeout_s` is not above 0 and up to 60"  # noqa: PLR2004 - a minute

    def grade(self, response: str) -> Grade:
        """Full marks where all cases are right. Runs the answer's code: ask before."""
        code = code_in(response, self.function)
        if len(code) > LONGEST:
            return wrong(f"It is longer than {LONGEST:,} characters.")
        try:
            results = run(code, self.function, [case.args for case in self.cases], timeout_s=self.timeout_s)
        except Unsafe as error:
            return Grade(None, str(error))
        except Crash as error:
            return wrong(str(error))
        missed = [
            case for case, result in zip(self.cases, results, strict=True) if not result.gives(case.result)
        ]
        if not missed:
            return right(f"All {len(self.cases)} cases are right.")
        first = shown(f"{self.function}({', '.join(map(repr, missed[0].args))})")
        return wrong(f"{len(missed)} of {len(self.cases)} cases are wrong; the first is {first}.")

    def known_right(self) -> None:
        """Cases do not say how it is done."""


def code_in(response: str, function: str) -> str:
    """The code of an answer: the first block that defines the function, else what looks like code."""
    said = spoken(response)
    blocks = FENCED.findall(said) if said.count("```") <= 100 else []  # noqa: PLR2004 - more are no answer
    defines = re.compile(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{function}\b|^{function}[ \t]*=", re.MULTILINE)
    for block in blocks:
        if defines.search(block):
            return str(block)
    if blocks:
        return str(blocks[0])
    start = re.search(r"^(?:def|import|from|class|@)\b", said, re.MULTILINE)
    return said[start.start() :] if start else said
