"""What a judge replied → a verdict, or why it is none. Tolerant in form, strict in substance."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import Struct

from edgewise.learning.judge.rubrics import CHOICE, RATIONALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.learning.judge.rubrics import Rubric, Scale

Why = Literal["empty", "garbage", "refused", "range", "ambiguous"]
LONGEST_READ = 20_000  # characters of a reply; no verdict is as long as that
MOST_IN_VAIN = 20  # braces that begin no object: what is tried at each is as long as the reply
LONGEST_KEPT = 600  # characters of a rationale
NUMBER = r"(-?\d+(?:\.\d+)?)"
THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
REFUSAL = re.compile(
    r"\b(?:can(?:no|')t|can not|won't|unable to|not able to|will not|must decline|refuse to)\b"
    r"|\bas an ai\b|\bi'?m sorry\b|\bi apologi[sz]e\b",
    re.IGNORECASE,
)


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What a judge said: a number by scale, or a `choice`, and why."""

    values: dict[str, float] = {}
    choice: str | None = None
    rationale: str = ""


class Unreadable(Exception):
    """A reply that is no verdict; `why` in a word, the message in a sentence."""

    def __init__(self, why: Why, sentence: str) -> None:
        self.why = why
        super().__init__(sentence)


class _Twice(Exception):
    """An object says one thing twice, and differently."""


def read_verdict(reply: str, rubric: Rubric) -> Verdict:
    """The verdict in a reply, or `Unreadable`.

    A JSON object may stand in a fence or between other words; a lone scale may be a bare number. Nothing is
    guessed: a number outside its scale is not moved into it, and of several verdicts that differ none counts.
    """
    text = THOUGHTS.sub("", reply[:LONGEST_READ]).strip()
    if not text:
        raise Unreadable("empty", "The judge said nothing.")
    wanted = {scale.name for scale in rubric.scales} or {CHOICE}
    found: list[Verdict] = []
    try:
        found += [_from_object(each, rubric) for each in _objects(text) if wanted & each.keys()]
    except _Twice:
        raise Unreadable("ambiguous", "The judge's verdict says one thing twice, and differently.") from None
    if not found:
        found.append(_from_words(text, rubric))
    if any((each.values, each.choice) != (found[0].values, found[0].choice) for each in found):
        raise Unreadable("ambiguous", "The judge gave several verdicts that differ.")
    return found[-1]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost ones only."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    place, in_vain = text.find("{"), 0
    while place >= 0 and in_vain < MOST_IN_VAIN:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            place, in_vain = text.find("{", place + 1), in_vain + 1
            continue
        yield cast("dict[str, Any]", value)
        place = text.find("{", end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise _Twice
        found[key] = value
    return found


def _from_object(said: dict[str, Any], rubric: Rubric) -> Verdict:
    rationale = said.get(RATIONALE)
    why = rationale.strip()[:LONGEST_KEPT] if isinstance(rationale, str) else ""
    why = why.encode("utf-8", "replace").decode()  # JSON may hold half a character, which nobody can write
    if rubric.choices:
        return Verdict(choice=_choice(said.get(CHOICE), rubric), rationale=why)
    return Verdict({scale.name: _number(said.get(scale.name), scale) for scale in rubric.scales}, None, why)


def _from_words(text: str, rubric: Rubric) -> Verdict:
    """A verdict without JSON: `score: 85`, `85/100`, or nothing but the number or the word."""
    if rubric.choices:
        if (word := text.strip(" \t\n.*\"'`[]()")).lower() in {c.lower() for c in rubric.choices}:
            return Verdict(choice=_choice(word, rubric))
        raise _none(text)
    values: dict[str, float] = {}
    for scale in rubric.scales:
        label = rf"\b{scale.name.replace('_', '[ _]')}\b[\"'*\s]*(?:[:=]|is|of)[\"'*\s]*{NUMBER}"
        # Not the beginning of a longer number, nor a part of something else than the scale's end: `8/10`.
        other = rf"(?![.,]?\d)(?!\s*(?:/|out of)\s*(?!{scale.high:g}(?!\d))\d)"
        said = {match[1] for match in re.finditer(label + other, text, re.IGNORECASE)}
        if len(said) > 1:
            raise Unreadable("ambiguous", "The judge gave several scores that differ.")
        if not said and len(rubric.scales) == 1 and (bare := _bare(text, scale)):
            said = {bare}
        if not said:
            raise _none(text)
        values[scale.name] = _number(said.pop(), scale)
    return Verdict(values, rationale="" if _bare(text, rubric.scales[0]) else text[:LONGEST_KEPT])


def _bare(text: str, scale: Scale) -> str | None:
    found = re.fullmatch(rf"[*\s]*{NUMBER}\s*(?:/\s*{scale.high:g})?[.*\s]*", text)
    return found[1] if found else None


def _number(value: Any, scale: Scale) -> float:
    if isinstance(value, str):
        value = _bare(value, scale) or value
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if math.isnan(found):
        raise Unreadable("garbage", f"The judge's `{scale.name}` is no number: {str(value)[:40]!r}.")
    if not scale.low <= found <= scale.high:
        raise Unreadable(
            "range", f"The judge's `{scale.name}` is {found:g}, outside {scale.low:g} to {scale.high:g}."
        )
    return found


def _choice(value: Any, rubric: Rubric) -> str:
    for choice in rubric.choices:
        if isinstance(value, str) and value.strip().lower() == choice.lower():
            return choice
    known = ", ".join(rubric.choices)
    raise Unreadable("garbage", f"The judge chose {str(value)[:40]!r}, which is none of {known}.")


def _none(text: str) -> Unreadable:
    if REFUSAL.search(text):
        return Unreadable("refused", f"The judge refused: {_start(text)}")
    return Unreadable("garbage", f"The judge's reply holds no verdict: {_start(text)}")


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:80]}…"  # noqa: PLR2004 - what fits into a sentence
