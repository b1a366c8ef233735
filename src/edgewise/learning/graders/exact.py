"""Grader `exact`: one of a few texts."""

from __future__ import annotations

import re

from msgspec import Struct

from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.wording import announced, boxed, emphasised, folded, negated, plain, spoken

FENCE = re.compile(r"\A```[\w-]{0,20}\n(.*)\n```\Z", re.DOTALL)
LINKING = re.compile(
    r"\b(?:is|are|was|were|be|called|named|at|on|in|by|from|to|of|for|with|as|gate|room|number)\s+|[=:]\s*",
    re.IGNORECASE,
)
LONGEST_SENTENCE = 300


class Exact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is `answer`, or any of a list of them.

    Case, quotes, Markdown and a full stop at the end do not count, unless `case` says that case does. With
    `alone` the answer must be this to the letter, blanks and a fence around it aside: for prompts that ask
    for a form. Otherwise it may be announced, boxed, the only thing in bold, or end the only sentence.
    """

    grader: str = "exact"
    answer: str | tuple[str, ...]
    case: bool = False
    alone: bool = False

    @property
    def answers(self) -> tuple[str, ...]:
        """Everything that is right."""
        return (self.answer,) if isinstance(self.answer, str) else self.answer

    def problem(self) -> str | None:
        """Answers that are empty."""
        return None if self.answers and all(a.strip() for a in self.answers) else "`answer` is empty"

    def grade(self, response: str) -> Grade:
        """Full marks for one of the answers, none for anything else."""
        said = spoken(response)
        if self.alone:
            bare = unfenced(response)
            return right("It is exactly that.") if bare in self.answers else wrong(self._not(bare))
        if any(self._same(text) for text in readings(said)):
            return right("It says so.")
        if self._ends(plain(said)):
            return right("Its sentence ends with it.")
        return wrong(self._not(said))

    def known_right(self) -> str:
        """The first of the answers."""
        return self.answers[0]

    def _same(self, text: str) -> bool:
        if not self.case:
            return folded(text) in {folded(answer) for answer in self.answers}
        return plain(text).strip(" \"'.") in {plain(answer).strip(" \"'.") for answer in self.answers}

    def _ends(self, text: str) -> bool:
        """Whether the only sentence comes to the answer after a linking word: `The winner is Kenji.`"""
        if len(text) > LONGEST_SENTENCE or "\n" in text.strip():
            return False
        for match in LINKING.finditer(text):
            rest = text[match.end() :]
            if self._same(rest) and not negated(text, match.end()) and not _listing(text[: match.start()]):
                return True
        return False

    def _not(self, said: str) -> str:
        return f"It says {shown(said)} instead of {shown(self.answers[0])}."


def _listing(before: str) -> bool:
    """Whether alternatives were named before: `It is A, or it is B`."""
    return re.search(r"\bor\b|[;|]|\beither\b|[.!?]\s", before, re.IGNORECASE) is not None


def readings(said: str) -> list[str]:
    """What an answer may come down to: all of it, what is boxed or announced, the only thing in bold."""
    text = plain(said)
    found = [said]
    for parts in (boxed(said), announced(text)):
        if len({folded(part) for part in parts}) == 1:
            return [*found, parts[0], parts[0].partition(". ")[0]]
        if parts:
            return found
    bold = emphasised(said)
    if len({folded(part) for part in bold}) == 1:
        found.append(bold[0])
    head, colon, last = text.strip().rpartition(":\n")
    if colon and "\n" not in last.strip() and "\n" not in head.strip():
        found.append(last)  # "Here it is:" and then the answer on a line of its own
    return found


def unfenced(response: str) -> str:
    """The answer without thoughts, blanks and a fence around it."""
    said = response.rpartition("</think>")[2].strip("\r\n").rstrip()
    fenced = FENCE.match(said.strip())
    return (fenced[1] if fenced else said).replace("\r\n", "\n")
