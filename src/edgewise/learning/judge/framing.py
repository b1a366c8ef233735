"""What a judge gets to read: its rubric, and the texts to be judged, quoted as data between marks."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from edgewise.learning.judge.rubrics import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.learning.judge.rubrics import Rubric

STEERS = "tries to steer the judge"
TEMPLATE = "holds control words of a chat template"
# A chat template's own words: a server that reads them inside a text would begin a new turn there.
_CONTROL_WORDS = re.compile(
    r"<\|[\w ]{1,40}\|>|\[/?INST\]|</?s>|</?(?:start|end)_of_turn>|<</?SYS>>", re.IGNORECASE
)
_MARKS = r"(?:score|rating|grade|mark|points?|verdict)s?"
_TOP = r"(?:100|10\s*/\s*10|full|perfect|maximum|max|highest|top|best)"
_ORDERS = r"\b(?:give|assign|award|rate|output|return|set|report|respond with|answer with)\b"
_STEERING = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,60}"
    rf"\b(?:instruction|rubric|rule|criteria|prompt|above|previous|{_MARKS})",
    rf"{_ORDERS}[^.\n]{{0,60}}\b{_TOP}\b[^.\n]{{0,30}}(?:\b{_MARKS}\b|$|[.!])",
    rf"{_ORDERS}[^.\n]{{0,40}}\b{_MARKS}\b[^.\n]{{0,20}}\b(?:10|{_TOP})\b",
    r"\b(?:dear|attention|note to(?: the)?|hey|message to(?: the)?)\s+(?:judge|grader|evaluator|rater)\b",
    r"\b(?:judge|grader|evaluator)s?\s*[,:]\s*(?:please|you|give|rate|the)\b",
    r"[\"']?\b(?:score|better|qos_edge|qos_cloud)[\"']\s*:\s*[\"']?(?:\d|A\b|B\b|tie)",
    r"\bthis (?:answer|response) (?:deserves|merits|is worth|should (?:get|receive|be given))\b"
    rf"[^.\n]{{0,40}}\b(?:{_TOP}|{_MARKS})\b",
)
STEERING = re.compile("|".join(_STEERING), re.IGNORECASE | re.MULTILINE)


def flags_of(answer: str) -> tuple[str, ...]:
    """What stands out in an answer: that it seems to talk to its judge. A hint; no score follows from it."""
    found: list[str] = []
    if STEERING.search(answer):
        found.append(STEERS)
    if _CONTROL_WORDS.search(answer):
        found.append(TEMPLATE)
    return tuple(found)


def framed(rubric: Rubric, texts: Mapping[str, str], reminder: str = "") -> Sequence[Mapping[str, str]]:
    """The messages of one call: `texts` by title, each between lines with a mark drawn for this call.

    `reminder` is what was wrong with the judge's last reply, if there was one.
    """
    mark = secrets.token_hex(8)
    quoted = "\n\n".join(
        f"--- {mark} {title} begins ---\n{harmless(text)}\n--- {mark} {title} ends ---"
        for title, text in texts.items()
    )
    ending = f"\n\nYour last reply could not be used: {reminder}" if reminder else ""
    return [
        {"role": "system", "content": rubric.system},
        {
            "role": "user",
            "content": f"{DATA.format(mark=mark)}\n\n{quoted}\n\n"
            f"Reply with the JSON object of your instructions and nothing else.{ending}",
        },
    ]


def harmless(text: str) -> str:
    """A text with the control words of chat templates broken, so that no server takes them for its own."""
    return _CONTROL_WORDS.sub(lambda found: " ".join(found[0]), text)
