"""Grader `choice`: one of the options, by its letter or by its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.wording import announced, boxed, emphasised, folded, negated, plain, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
LONGEST_OPTION = 1_000
DECORATION = " \t-•*()[]\"'.:;,!/|"


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is the option `answer`, of `options`: letter → text, or the texts alone.

    An answer is read as the options that it mentions (a letter in one of its usual forms, a text as whole
    words) and does not deny: in a box, else where it announces an answer, else in a first sentence that is
    nothing but an option, else in bold, else anywhere. More than one of them is wrong.
    """

    grader: str = "choice"
    answer: str
    options: dict[str, str] | tuple[str, ...]

    @property
    def texts(self) -> dict[str, str]:
        """Each option's name and its text."""
        return self.options if isinstance(self.options, dict) else {text: text for text in self.options}

    def problem(self) -> str | None:
        """Options among which the answer cannot be told."""
        folds = [folded(text) for text in self.texts.values()]
        if len(folds) < 2 or len(set(folds)) < len(folds) or not all(folds):  # noqa: PLR2004 - one is no choice
            return "`options` are fewer than two, empty or the same"
        if self.answer not in self.texts:
            return f"`answer` is {self.answer!r}, which is none of the `options` ({', '.join(self.texts)})"
        return None

    def grade(self, response: str) -> Grade:
        """Full marks for the option, none for another, for several and for none."""
        named = chosen(response, self.texts)
        if named == {self.answer}:
            return right(f"It names {self.answer}.")
        if not named:
            return wrong(f"It names none of {', '.join(self.texts)}: {shown(response)}.")
        return wrong(f"It names {', '.join(sorted(named))}; {self.answer} is right.")

    def known_right(self) -> str:
        """The option's name."""
        return f"The answer is {self.answer}."


def chosen(response: str, options: Mapping[str, str]) -> set[str]:
    """The names of the options that an answer comes down to."""
    said = spoken(response)
    text = plain(said)
    for parts in (boxed(said), announced(text)):
        named = {name for part in parts for name in _mentioned(part, options)}
        if named:
            return named
    forms = _forms(options)
    sole = [name for sentence in SENTENCE.split(text) if (name := _sole(sentence, forms))]
    first = _sole(SENTENCE.split(text, maxsplit=1)[0], forms) if text else None
    if first is not None and len(set(sole)) == 1:
        return {first}
    bold = {name for part in emphasised(said) for name in _mentioned(part, options)}
    return bold if len(bold) == 1 and len(set(sole)) <= 1 else _mentioned(text, options)


def _forms(options: Mapping[str, str]) -> dict[str, str]:
    """Every way to write an option and nothing else → its name."""
    return {
        folded(form): name
        for name, text in options.items()
        for form in (
            name,
            text,
            f"{name}) {text}",
            f"{name}. {text}",
            f"{name}: {text}",
            f"option {name}",
            f"{name} {text}",
        )
    }


def _sole(sentence: str, forms: Mapping[str, str]) -> str | None:
    """The option that a sentence is, letter, text or both, and nothing else."""
    bare = sentence.strip(DECORATION)
    return forms.get(folded(bare)) if len(bare) <= LONGEST_OPTION else None


def _mentioned(part: str, options: Mapping[str, str]) -> set[str]:
    """The options that a text names and does not deny; longer texts go before those that they hold."""
    if (only := _sole(part, _forms(options))) is not None:
        return {only}
    named: set[str] = set()
    rest = part
    for name, text in sorted(options.items(), key=lambda option: -len(option[1])):
        for match in re.finditer(rf"(?<!\w){_loose(text)}(?!\w)", rest, re.IGNORECASE):
            if not negated(part, match.start(), match.end()):
                named.add(name)
            rest = rest[: match.start()] + "\0" * (match.end() - match.start()) + rest[match.end() :]
    for name, text in options.items():
        if name != text:
            named |= {
                name for start in _letters(rest, name, options) if not negated(part, start, start + len(name))
            }
    return named


def _loose(text: str) -> str:
    return r"\s+".join(re.escape(word) for word in plain(text).split())


def _letters(part: str, name: str, names: Iterable[str]) -> Iterator[int]:
    """Where an option stands by its letter: (B), B), B., B:, option B, or B alone between other things."""
    letter, others = re.escape(name), "|".join(map(re.escape, names))
    forms = (
        rf"\(\s?{letter}\s?\)",
        rf"(?<![\w'.]){letter}(?=[).:,;/|](?:\s|$|\w\b|\0))",
        rf"\b(?:option|choice|letter|answer)\s+\(?{letter}(?!\w)",
        rf"(?<![\w']){letter}(?=\s*$|\s*\n|\s*\0|\s+(?:or|and|because|since|as)\b)",
        rf"(?:\b(?:or|and)|[,/|])\s*{letter}(?![\w'])",
        rf"(?<![\w']){letter}(?=\s+\(?(?:{others})(?![\w']))",
    )
    for form in forms:
        for match in re.finditer(form, part, re.MULTILINE):
            yield match.start()
