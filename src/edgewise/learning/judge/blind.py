"""Answers without the name of whoever gave them, so that no judge favours a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "[the assistant]"
MAKER = "[its maker]"
# Nobody writes these words and means anything else.
FAMILIES = re.compile(
    r"\b(?:chat\s?gpt|gpt-?[345](?:\.\d)?(?:o|-\w+)*|qwen[\w.-]*|smollm[\w.-]*|deepseek[\w.-]*|mixtral[\w.-]*"
    r"|ministral[\w.-]*|lfm2[\w.-]*|llama-?[1234][\w.-]*|phi-[1-4][\w.-]*|gemma-?[1-4][\w.-]*"
    r"|claude[ -](?:\d|opus|sonnet|haiku|instant)[\w.-]*|gemini[ -](?:\d|pro|flash|ultra|nano)[\w.-]*)\b",
    re.IGNORECASE,
)
# These are people, animals, stars and winds as well: names only where somebody says who he is.
ALONE = r"claude|gemini|gemma|llama|mistral|phi|grok|bard|copilot|command[ -]r\+?|nova|falcon|vicuna|alpaca"
MAKERS = (
    r"openai|open ai|anthropic|google(?: deepmind)?|deepmind|meta(?: ai)?|mistral(?: ai)?|alibaba(?: cloud)?"
    r"|microsoft|hugging ?face|liquid ?ai|xai|cohere|nvidia|deepseek|amazon"
)
_I_AM = (
    r"\b(?:I am|I['\u2019]m|my name(?: is|:)|this is|call me"
    r"|you(?:['\u2019]re| are) (?:talking|speaking|chatting) (?:to|with))"
)
_ARTICLE = r"(?:an? |the )?(?:AI (?:assistant |model )?)?(?:called |named )?"
MADE = re.compile(
    rf"\b((?:developed|created|trained|made|built|designed|provided|powered) by )(?:{MAKERS})\b",
    re.IGNORECASE,
)
SHORTEST = 4


class Blind:
    """Masks `names` (candidates' ids and what their endpoints call them), and who models say they are.

    A name with a digit or a hyphen is masked wherever it stands; one that may be a plain word (`edge`, `phi`)
    only where the answer says who it is. What the prompt itself names stays: it is the subject.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        given = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
        own = [_written(name) for name in given if len(name) >= SHORTEST and re.search(r"[\d\-./:]", name)]
        self._own = re.compile(rf"(?<!\w)(?:{'|'.join(own)})(?!\w)", re.IGNORECASE) if own else None
        plain = "|".join([*(re.escape(name) for name in given), ALONE])
        self._self = re.compile(
            rf"({_I_AM} {_ARTICLE})(?:{plain})(?!\w)|(\bas {_ARTICLE})(?:{plain})(?=,? I\b)", re.IGNORECASE
        )

    def mask(self, answer: str, prompt: str = "") -> str:
        """The answer without names."""
        asked = prompt.lower()

        def hidden(found: re.Match[str]) -> str:
            return found[0] if found[0].lower() in asked else MASK

        text = self._own.sub(hidden, answer) if self._own is not None else answer
        text = FAMILIES.sub(hidden, text)
        text = self._self.sub(lambda found: f"{found[1] or found[2]}{MASK}", text)
        return MADE.sub(rf"\1{MAKER}", text)


def _written(name: str) -> str:
    """A name with whichever hyphens typesetters and models write."""
    return re.escape(name).replace("\\-", "[-_\u2010-\u2013]")
