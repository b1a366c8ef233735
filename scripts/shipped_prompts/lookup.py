"""Lookup: fifty small tables, made from a seed, each with a question that its rows answer."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEED = 20261121


class Theme(NamedTuple):
    """A kind of table: what a row is, its names, and two columns of numbers."""

    about: str
    key: str
    names: tuple[str, ...]
    first: str
    first_range: tuple[int, int]
    second: str
    second_range: tuple[int, int]


THEMES = (
    Theme("Trains from Millbrook", "destination",
          ("Ashford", "Benton", "Carlow", "Dunmore", "Elkton", "Fairview", "Granby", "Hexham"),
          "platform", (1, 14), "journey time", (12, 95)),
    Theme("Price list of a stationer's", "article",
          ("pencil", "eraser", "ruler", "stapler", "notebook", "marker", "folder", "glue"),
          "price in cents", (20, 950), "stock", (0, 300)),
    Theme("People in the office", "person", ("Aylin", "Boris", "Chidi", "Dora", "Emre", "Fatima", "Goran", "Hana"),
          "room", (101, 480), "extension", (2000, 9999)),
    Theme("Weather at noon", "town", ("Arles", "Basel", "Cadiz", "Derry", "Essen", "Faro", "Genoa", "Hull"),
          "temperature", (-4, 33), "humidity", (25, 98)),
    Theme("Books lent by the village library", "title",
          ("Dune Grass", "Red Kite", "The Ferryman", "Old Maps", "Winterlight", "Salt", "Nine Bells", "Harbour"),
          "page count", (90, 720), "number of loans", (1, 60)),
    Theme("Menu of the canteen", "dish",
          ("lentil soup", "pasta", "curry", "fish cakes", "salad", "omelette", "stew", "dumplings"),
          "calorie count", (210, 980), "price in cents", (290, 1150)),
    Theme("Planets of an invented system", "planet",
          ("Aru", "Bel", "Ceth", "Dorn", "Eos", "Fenn", "Gald", "Hyx"),
          "number of moons", (0, 40), "length of the year", (80, 900)),
    Theme("Runners of the city race", "runner",
          ("Ike", "Juno", "Kai", "Lior", "Mona", "Nils", "Opal", "Pete"),
          "start number", (1, 250), "time in seconds", (2400, 5200)),
    Theme("Machines in the workshop", "machine",
          ("lathe", "drill press", "band saw", "sander", "planer", "grinder", "welder", "router table"),
          "power in watts", (250, 4200), "running time", (10, 999)),
    Theme("Courses of the evening school", "course",
          ("Pottery", "Spanish", "Chess", "Yoga", "Algebra", "Guitar", "Welding", "Sewing"),
          "number of places", (6, 30), "fee", (15, 240)),
)  # fmt: skip
Line = tuple[str, int, int]


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels: one a theme and level."""
    for level in range(1, 6):
        for number, theme in enumerate(THEMES):
            dice = Random(f"{SEED}:{level}:{number}")
            lines = _lines(theme, 2 + level + (level > 3), dice)  # noqa: PLR2004 - the hard ones are longer
            question, answer, wrong = ASKED[level](theme, lines, dice, number)
            numeric = isinstance(answer, int)
            yield {
                "prompt": f"{theme.about}:\n{FORMS[(level + number) % len(FORMS)](theme, lines)}\n\n{question}",
                "level": level,
                "check": {"grader": "numeric" if numeric else "exact", "answer": answer},
                "right": ("The answer is {}.", "{}", "Answer: **{}**")[number % 3].format(answer),
                "wrong": ("{}", "The answer is {}.")[number % 2].format(wrong),
            }


def _lines(theme: Theme, count: int, dice: Random) -> list[Line]:
    names = dice.sample(theme.names, min(count, len(theme.names)))
    firsts = dice.sample(range(*theme.first_range), len(names))
    seconds = dice.sample(range(*theme.second_range), len(names))
    return list(zip(names, firsts, seconds, strict=True))


def _csv(theme: Theme, lines: Sequence[Line]) -> str:
    return "\n".join([f"{theme.key},{theme.first},{theme.second}", *(f"{a},{b},{c}" for a, b, c in lines)])


def _markdown(theme: Theme, lines: Sequence[Line]) -> str:
    head = [f"| {theme.key} | {theme.first} | {theme.second} |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {a} | {b} | {c} |" for a, b, c in lines)])


def _list(theme: Theme, lines: Sequence[Line]) -> str:
    return "\n".join(f"- {a}: {theme.first} {b}, {theme.second} {c}" for a, b, c in lines)


def _prose(theme: Theme, lines: Sequence[Line]) -> str:
    return " ".join(f"The {theme.first} of {a} is {b}, and the {theme.second} is {c}." for a, b, c in lines)


FORMS = (_csv, _markdown, _list, _prose)
Asked = tuple[str, int | str, int | str]


def _cell(theme: Theme, lines: list[Line], dice: Random, number: int) -> Asked:
    """The number beside a name."""
    name, first, second = dice.choice(lines)
    question = (f"What is the {theme.first} of {name}?", f"Give the {theme.first} for {name}.")[number % 2]
    return question, first, second


def _reverse(theme: Theme, lines: list[Line], dice: Random, number: int) -> Asked:
    """The name beside a number."""
    name, _, second = dice.choice(lines)
    other = next(a for a, _, _ in lines if a != name)
    question = (
        f"Which {theme.key} has the {theme.second} {second}?",
        f"For which {theme.key} is the {theme.second} {second}?",
    )[number % 2]
    return question, name, other


def _extreme(theme: Theme, lines: list[Line], dice: Random, number: int) -> Asked:
    """The name with the most or the least."""
    column = 1 + dice.randrange(2)
    ordered = sorted(lines, key=lambda line: line[column])
    word, pick, other = (
        ("highest", ordered[-1], ordered[0]) if number % 2 else ("lowest", ordered[0], ordered[-1])
    )
    return f"Which {theme.key} has the {word} {(theme.first, theme.second)[column - 1]}?", pick[0], other[0]


def _counted(theme: Theme, lines: list[Line], dice: Random, number: int) -> Asked:
    """How many lie above a bound, or the difference of two."""
    if number % 2:
        one, two = dice.sample(lines, 2)
        high, low = (one, two) if one[1] > two[1] else (two, one)
        question = f"By how much does the {theme.first} of {high[0]} exceed that of {low[0]}?"
        return question, high[1] - low[1], high[1]
    bound = sorted(line[2] for line in lines)[len(lines) // 2]
    count = sum(line[2] > bound for line in lines)
    return f"In how many rows is the {theme.second} greater than {bound}?", count, count + 1


def _joined(theme: Theme, lines: list[Line], _dice: Random, number: int) -> Asked:
    """A filter on one column and an extreme or a sum of the other."""
    bound = sorted(line[1] for line in lines)[len(lines) // 3]
    left = sorted((line for line in lines if line[1] > bound), key=lambda line: line[2])
    if number % 2:
        total = sum(line[2] for line in left)
        question = (
            f"Add up the {theme.second} of all rows in which the {theme.first} is greater than {bound}."
        )
        return question, total, total - left[0][2]
    question = (
        f"Among the rows in which the {theme.first} is above {bound}, "
        f"which {theme.key} has the second lowest {theme.second}?"
    )
    return question, left[1][0], left[0][0]


ASKED: dict[int, Callable[[Theme, list[Line], Random, int], Asked]] = {
    1: _cell, 2: _reverse, 3: _extreme, 4: _counted, 5: _joined,
}  # fmt: skip
