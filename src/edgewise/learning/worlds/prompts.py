"""Simulated prompts of two kinds, from templates: those that cannot wait, and those that must be good."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Words = tuple[str, ...]
    Group = tuple[str, Words, Words, Words]

CRITICALITY_SD: Final = 0.8  # points of 10 by which two looks of a judge differ
HIGH, LOW, MIDDLE = 8.5, 2.0, 5.0

# (topic, templates, what fills the first place, what fills the second)
URGENT: Final = (
    (
        "emergency",
        (
            "{0} {1}, what do I do?",
            "Quick: {0} {1}!",
            "Help, {0} {1}. What now?",
            "{0} {1} right now, tell me what to do first",
        ),
        ("a bee", "a wasp", "a jellyfish", "a dog", "a spider", "a cat", "a snake", "a tick"),
        (
            "stung my hand",
            "got at my ankle",
            "hurt my son's arm",
            "hurt my neck",
            "went for my leg",
            "hurt my foot",
            "got my finger",
        ),
    ),
    (
        "emergency",
        (
            "I smell {0} {1}, what should I do?",
            "There is {0} {1}, hurry!",
            "{0} {1}! Do I leave?",
            "Sudden {0} {1}, is it dangerous?",
        ),
        ("smoke", "gas", "burning plastic", "a sharp chemical smell", "sparks", "hot rubber"),
        (
            "in the kitchen",
            "in the hallway",
            "near the boiler",
            "in my car",
            "at the office",
            "in the cellar",
            "under the desk",
        ),
    ),
    (
        "breakdown",
        (
            "My {0} {1}, what now?",
            "The {0} just {1}, quick!",
            "{0} {1} while I am on the road, help",
            "Any fast fix? My {0} {1}",
        ),
        ("car", "bike", "phone", "laptop", "bus pass reader", "scooter", "front door lock"),
        (
            "stopped working",
            "makes a loud noise",
            "started to overheat",
            "lost its power",
            "got stuck",
            "began to shake",
            "locked itself",
        ),
    ),
)
CAREFUL: Final = (
    (
        "making",
        (
            "Explain step by step how to {0} {1}.",
            "Write a thorough guide on how to {0} {1}, with the tools that I need.",
            "Give me complete instructions to {0} {1}, and the mistakes to avoid.",
            "Plan in detail how I can {0} {1} over a weekend.",
        ),
        ("assemble", "restore", "repaint", "repair", "design", "clean"),
        (
            "an oak desk",
            "a garden bench",
            "a wooden boat",
            "a bookshelf",
            "an old bicycle",
            "a kitchen cabinet",
            "a leather chair",
        ),
    ),
    (
        "ideas",
        (
            "Write a comprehensive analysis of {0} {1}.",
            "Compare the main schools of thought about {0} {1}, with their arguments.",
            "Draft an essay that weighs the evidence on {0} {1}.",
            "Summarise what is known about {0} {1} and where experts disagree.",
        ),
        (
            "the ethics of",
            "the history of",
            "the economics of",
            "the limits of",
            "the future of",
            "the psychology of",
        ),
        (
            "artificial minds",
            "free trade",
            "space travel",
            "nuclear power",
            "universal income",
            "genetic medicine",
            "city planning",
        ),
    ),
    (
        "advice",
        (
            "Develop a detailed plan to {0} {1}, with a budget.",
            "Review the options to {0} {1} and recommend one with reasons.",
            "Write a careful proposal to {0} {1}, for a board that doubts it.",
            "List the risks when we {0} {1}, and how each can be lowered.",
        ),
        ("grow", "reorganise", "finance", "insure", "digitise", "sell"),
        (
            "a family bakery",
            "a small clinic",
            "a village school",
            "a design studio",
            "a repair shop",
            "an online course",
            "a choir",
        ),
    ),
)


class SimulatedPrompt(Struct, frozen=True):
    """A prompt with what its maker knows of it. `mission` and `time` are criticalities, 0 to 10."""

    text: str
    topic: str
    time_critical: bool
    mission: float
    time: float

    @property
    def kind(self) -> str:
        """Which of the two published kinds it is."""
        return "time-critical" if self.time_critical else "quality-critical"


def make_prompts(count: int, *, seed: int = 0) -> list[SimulatedPrompt]:
    """`count` different prompts, about as many of each kind, in a seeded order.

    The criticalities are those of a simulated judge, who is not quite sure. Raises RequestError where there
    are not so many.
    """
    dice = Random(f"prompts:{seed}")  # noqa: S311 - a simulation, not a secret
    urgent, careful = list(_all(URGENT)), list(_all(CAREFUL))
    most = 2 * min(len(urgent), len(careful))
    if not 0 < count <= most:
        raise RequestError(f"Between 1 and {most} different prompts can be made; asked for {count}.")
    dice.shuffle(urgent)
    dice.shuffle(careful)
    half = count // 2
    made = [
        _prompt(text, topic, dice, time_critical=hurry)
        for hurry, pile, share in ((True, urgent, half), (False, careful, count - half))
        for topic, text in pile[:share]
    ]
    dice.shuffle(made)
    return made


def _all(groups: tuple[Group, ...]) -> Iterator[tuple[str, str]]:
    for topic, templates, first, second in groups:
        for template, one, other in product(templates, first, second):
            text = template.format(one, other)
            yield topic, text[0].upper() + text[1:]


def _prompt(text: str, topic: str, dice: Random, *, time_critical: bool) -> SimulatedPrompt:
    time = HIGH if time_critical else LOW
    mission = HIGH if topic == "emergency" else MIDDLE if not time_critical else LOW + 1.0
    return SimulatedPrompt(text, topic, time_critical, _looked(mission, dice), _looked(time, dice))


def _looked(truth: float, dice: Random) -> float:
    return round(min(10.0, max(0.0, dice.gauss(truth, CRITICALITY_SD))), 1)
