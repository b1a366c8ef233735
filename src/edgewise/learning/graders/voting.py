"""What helps a small model: worked examples of the task at hand, and a vote between several of its answers.

Neither knows what is right. The examples are no part of the shipped prompts, and a vote counts answers that
come down to the same thing, read from prompt and answer alone, as the graders read answers.
"""

from __future__ import annotations

import ast
import json
import math
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from edgewise.learning.graders.choice import chosen
from edgewise.learning.graders.code import code_in
from edgewise.learning.graders.numeric import number_of
from edgewise.learning.graders.structured import NotOne, value_in
from edgewise.learning.graders.wording import announced, folded, plain, spoken

SHOWN = 3  # worked examples
OPTION = re.compile(r"^\s{0,3}\(?([A-H])[).:]\s+(\S.{0,200})$", re.MULTILINE)
LISTED = re.compile(r"(?:one of|choose from|answers|options):?\s+([^\n.:]{3,200})[.\n]", re.IGNORECASE)
HEAD = re.compile(r"def\s+([A-Za-z_]\w*)|`([A-Za-z_]\w*)\(")
COUNTING = re.compile(
    r"\b(?:how (?:many|much|old|long|heavy|far)|number|what is (?:the|\d)|sum|add up)\b", re.IGNORECASE
)
WORD = re.compile(r"[a-z]+|[^\w\s]")


class Example(NamedTuple):
    """A prompt of a task, and how it is answered well."""

    group: str
    prompt: str
    answer: str


def ballot(prompt: str, response: str) -> str:
    """What an answer comes down to, so that equal answers count together; empty where it says nothing."""
    options = dict(OPTION.findall(prompt))
    if len(options) < 2 and (listed := LISTED.search(prompt)):  # noqa: PLR2004 - one is no choice
        options = {word.strip(): word.strip() for word in listed[1].split(",") if word.strip()}
    if len(options) > 1 and len(named := chosen(response, options)) == 1:
        return f"option {named.pop()}"
    if "python" in prompt.lower() and (head := HEAD.search(prompt)):
        return _program(code_in(response, head[1] or head[2]))
    if "json" in prompt.lower():
        try:
            return json.dumps(value_in(response), sort_keys=True)
        except NotOne:
            return ""
    number = number_of(response) if COUNTING.search(prompt) else ""
    if not isinstance(number, str):
        return f"number {number}"
    said = announced(plain(spoken(response)))
    return folded(said[-1] if said else spoken(response))


def examples_for(prompt: str) -> list[tuple[str, str]]:
    """A few worked examples of the task that a prompt looks most like; none where it looks like none."""
    words = _words(prompt)
    scores = {example: _likeness(words, _words(example.prompt)) for example in _examples()}
    by_group: dict[str, float] = {}
    for example, score in sorted(scores.items(), key=lambda one: -one[1]):
        ranked = by_group.setdefault(example.group, 0.0)
        by_group[example.group] = max(ranked, score)
    group = max(by_group, key=lambda name: by_group[name])
    if by_group[group] == 0.0:
        return []
    best = sorted((e for e in scores if e.group == group), key=lambda example: scores[example])
    return [(example.prompt, example.answer) for example in best[-SHOWN:]]


@cache
def _examples() -> tuple[Example, ...]:
    text = files("edgewise.learning.graders").joinpath("examples.jsonl").read_text("utf-8")
    read = (msgspec.json.decode(line, type=dict[str, str]) for line in text.splitlines())
    return tuple(Example(one["group"], one["prompt"], one["answer"]) for one in read)


@cache
def _rarity() -> dict[str, float]:
    seen: dict[str, int] = {}
    for example in _examples():
        for word in _words(example.prompt):
            seen[word] = seen.get(word, 0) + 1
    return {word: math.log((1 + len(_examples())) / count) for word, count in seen.items()}


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()[:4_000]))


def _likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """How much of the rarer words of an example stands in a prompt, too."""
    rarity = _rarity()
    weight = sum(rarity[word] for word in two)
    return sum(rarity[word] for word in one & two) / math.sqrt(weight) if weight else 0.0


def _program(code: str) -> str:
    try:
        return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
