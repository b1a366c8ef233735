"""How models word their answers: what they announce, what they emphasise, what is only decoration.

Every pattern here takes time linear in the answer's length: no part of one can match one text in two ways.
"""

from __future__ import annotations

import re
import unicodedata

THOUGHT = "</think>"
MOST_BOXES = 20
BOX = ("\\boxed{", "\\fbox{")
LATEX_COMMAND = re.compile(r"\\(?:text|mathrm|mathbf|textbf|operatorname|mathit)\s*\{([^{}]*)\}")
LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
LATEX_MARKS = re.compile(r"\\[()\[\]]|\\[,;! ]|\$(?!\s?\d)|(?<=\d)\$|\\(?=[%$€£])")
EMPHASIS = re.compile(
    r"(?<![\w*])\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?![\w*])"
    r"|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)|`"
)
BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
HEADING = re.compile(r"^[ \t]{0,3}(?:#{1,3}|>)[ \t]+", re.MULTILINE)
ANNOUNCEMENT = re.compile(
    r"(?:\b(?:answer|result|solution)\b(?:\s(?:to|for)\s[^.:\n]{1,80}?)?\s{0,3}(?:is|was|would be|=|:)"
    r"|^\s{0,3}\#{4})[\s:*=]{0,5}",
    re.IGNORECASE | re.MULTILINE,
)
SECOND_THOUGHT = re.compile(
    r"\b(?:wait|actually|correct(?:ion|ed|ing)?|recheck|sorry|mistake|oops|instead|no,|let me)", re.IGNORECASE
)
NEGATION = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|rather than|instead of)|n't)"
    r"\s+(?:be\s+|is\s+)?(?:an?\s+|the\s+)?[(\"'$]{0,2}$",
    re.IGNORECASE,
)
NEGATION_AFTER = re.compile(
    r"[\s)\"'.]{0,3}\b(?:against|isn't|(?:is|would be) (?:not|wrong|incorrect|false))\b"
)
NEGATION_LENGTH = 40
SHORT_LINE = 25
# Minus, hyphen, hyphen that breaks no line, and curly quotes, as typesetters and models write them.
TYPOGRAPHY = str.maketrans("\u2212\u2010\u2011\u2018\u2019\u201c\u201d\u201e", "---''" + '"' * 3)


def spoken(response: str) -> str:
    """The answer without the thoughts before it."""
    return response.rpartition(THOUGHT)[2].strip()


def plain(text: str) -> str:
    """Words and numbers without Markdown, LaTeX and typography."""
    text = text.translate(TYPOGRAPHY)
    text = LATEX_COMMAND.sub(r"\1", LATEX_FRACTION.sub(r"\1/\2", text))
    text = EMPHASIS.sub("", HEADING.sub("", LATEX_MARKS.sub("", text)))
    return unicodedata.normalize("NFKC", text).strip()


def boxed(text: str) -> list[str]:
    """What stands in LaTeX boxes: in the last of them, `MOST_BOXES` at most."""
    found: list[str] = []
    for opening in BOX:
        start = text.rfind(opening)
        for _ in range(MOST_BOXES):
            if start < 0:
                break
            inside = _until_closed(text, start + len(opening))
            if inside is not None:
                found.append(plain(inside))
            start = text.rfind(opening, 0, start)
    return found


def _until_closed(text: str, start: int, most: int = 500) -> str | None:
    depth = 1
    for end in range(start, min(len(text), start + most)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            return text[start:end]
    return None


def emphasised(text: str) -> list[str]:
    """What stands in bold."""
    return [plain(found) for found in BOLD.findall(text)]


def announced(text: str) -> list[str]:
    """What is said to be the answer, each to the end of its line; of plain text.

    Short lines that follow belong to it: they may go on with a list. Earlier announcements count as taken
    back where a second thought stands between them and the next.
    """
    found = list(ANNOUNCEMENT.finditer(text))
    kept: list[str] = []
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        if number and SECOND_THOUGHT.search(text, found[number - 1].end(), match.start()):
            kept.clear()
        said = text[match.end() : end].strip()
        if said:
            kept.append(_with_short_lines(said))
    return kept


def _with_short_lines(said: str) -> str:
    lines = [line.strip() for line in said.splitlines()]
    end = next((n for n, line in enumerate(lines) if n and len(line) > SHORT_LINE), len(lines))
    return "\n".join(filter(None, lines[:end]))


def negated(text: str, start: int, end: int | None = None) -> bool:
    """Whether what stands from `start` to `end` is said not to be so."""
    if end is not None and NEGATION_AFTER.match(text, end):
        return True
    return NEGATION.search(text, max(0, start - NEGATION_LENGTH), start) is not None


def folded(text: str) -> str:
    """A text as it is compared: without case, quotes around it, a stop at its end and doubled blanks."""
    text = " ".join(plain(text).casefold().split())
    stripped = text.strip(" \"'()[]").rstrip(".!;:,")
    return stripped.strip(" \"'()[]") or text
