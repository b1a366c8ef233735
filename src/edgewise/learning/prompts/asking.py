"""How prompts are asked for: what an agent is told, so that it does not write the same ones again."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.learning.prompts.kinds import Kind

INSTRUCTIONS = (
    "You write example instructions, as people type them to an AI assistant. You get the kind of "
    "instruction that is wanted, and write different ones of that kind: each stands for itself, says all "
    "that is needed to answer it, and reads as if somebody real had typed it. Write only the instructions, "
    "never answers to them, without numbers before them."
)
TOPICS = (
    "accidents at home", "animals and pets", "art and museums", "bicycles and cars", "books", "children",
    "chemistry", "clothes", "computers at work", "cooking", "doctors and medicine", "electronics", "farming",
    "fitness", "games", "gardening", "geography", "history", "house repairs", "job interviews", "languages",
    "law and contracts", "letters and e-mails", "maps and directions", "mathematics", "money and taxes",
    "music", "neighbours", "office work", "parties", "phones", "photography", "physics", "poems", "politics",
    "programming", "public transport", "restaurants", "school homework", "shopping", "space", "spreadsheets",
    "sports", "statistics", "stories", "trains and flights", "translation", "volunteering", "weather",
    "weddings",
)  # fmt: skip
MANNERS = (
    "some in a few words, some in several sentences", "some with typing mistakes",
    "some very polite, some curt", "some with exact numbers and names", "from beginners and from experts",
    "some as questions, some as orders",
)  # fmt: skip
TOPICS_AT_ONCE = 4
SHOWN = 8  # of the prompts that exist already


def asked(kind: Kind, count: int, known: Sequence[str], seed: str) -> str:
    """One request for `count` prompts. The topics differ with `seed`; of the `known` ones a few are shown."""
    draw = Random(seed)  # noqa: S311 - variety, not secrecy
    told = [
        f"Write {count} different instructions of the kind '{kind.name}'.",
        f"What this kind is: {kind.description}",
        f"Topics that may come up: {', '.join(draw.sample(TOPICS, TOPICS_AT_ONCE))}. "
        f"Vary them: {draw.choice(MANNERS)}.",
    ]
    if known:
        shown = "\n".join(f"- {text[:200]}" for text in draw.sample(known, min(SHOWN, len(known))))
        told.append(f"These exist already, so write others:\n{shown}")
    return "\n".join(told)
