"""Numbers: one pass over the groups of digits in a text, each possible number looked up by its shape.

The shape is how many digits stand together: 123-45-6789 has (3, 2, 4). It says which rules to try, so that
most numbers cost one look into a table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from edgewise.features.detectors import national as ids
from edgewise.features.detectors.cards import card
from edgewise.features.detectors.matches import Match, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgewise.features.detectors.matches import Prose

    Shape = tuple[int, ...]

MOST_SIGNS = 2  # 123.456.789-09
RUN = re.compile(r"[0-9](?:[ .\-/]?[0-9]){5,}")
DIGITS = re.compile(r"[0-9]+")


class Rule(NamedTuple):
    """A kind of number: its shapes, its check, and the words it needs nearby in `vague` shapes."""

    name: str
    check: Callable[[str], bool]
    shapes: tuple[Shape, ...]
    vague: tuple[Shape, ...] = ()
    words: Words | None = None


_NINE = ((9,), (3, 3, 3))
_CARDS = ((13,), (14,), (15,), (16,), (17,), (18,), (19,), (4, 6, 5), (4, 6, 4), (2,) * 8, (1,) * 16)
RULES = (
    Rule("card", card, (*_CARDS, (4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (8, 8))),
    Rule("us_ssn", ids.us_ssn, ((3, 2, 4),), ((9,), (3, 6), (5, 4)),
         Words(("ssn", "social", "itin", "tax id", "taxpayer"))),
    Rule("ca_sin", ids.ca_sin, (), _NINE,
         Words(("sin ", "sin:", "sin=", "sin#", "social insurance", "assurance sociale"))),
    Rule("nl_bsn", ids.nl_bsn, (), (*_NINE, (4, 2, 3)), Words(("bsn", "burgerservice", "sofi"))),
    Rule("au_tfn", ids.au_tfn, (), _NINE, Words(("tfn", "tax file"))),
    Rule("uk_nhs", ids.uk_nhs, (), ((10,), (3, 3, 4)), Words(("nhs", "patient", "health service"))),
    Rule("dk_cpr", ids.dk_cpr, (), ((10,), (6, 4)), Words(("cpr", "personnummer", "danish"))),
    Rule("se_personnummer", ids.se_personnummer, ((6, 4), (8, 4), (12,)), ((10,),), Words(("person", "pnr"))),
    Rule("de_tax_id", ids.de_tax_id, ((11,), (2, 3, 3, 3))),
    Rule("be_nrn", ids.be_nrn, ((11,), (2, 2, 2, 3, 2), (6, 3, 2), (6, 5))),
    Rule("pl_pesel", ids.pl_pesel, ((11,),)),
    Rule("no_fodselsnummer", ids.no_fodselsnummer, ((11,), (6, 5))),
    Rule("br_cpf", ids.br_cpf, ((11,), (3, 3, 3, 2), (9, 2))),
    Rule("tr_kimlik", ids.tr_kimlik, ((11,),)),
    Rule("in_aadhaar", ids.in_aadhaar, ((4, 4, 4),), ((12,),), Words(("aadhaar", "aadhar", "uid"))),
    Rule("jp_my_number", ids.jp_my_number, (), ((12,), (4, 4, 4)),
         Words(("my number", "mynumber", "マイナンバー", "個人番号"))),
    Rule("ch_ahv", ids.ch_ahv, ((13,), (3, 4, 4, 2))),
    Rule("kr_rrn", ids.kr_rrn, ((6, 7),), ((13,),), Words(("resident", "rrn", "주민"))),
    Rule("za_id", ids.za_id, ((13,), (6, 4, 3), (6, 4, 2, 1))),
    Rule("fr_nir", ids.fr_nir, ((15,), (1, 2, 2, 2, 3, 3, 2), (13, 2))),
    Rule("cn_resident_id", ids.cn_resident_id, ((18,), (6, 8, 4))),
)  # fmt: skip


def _by_shape() -> dict[Shape, tuple[tuple[Rule, bool], ...]]:
    table: dict[Shape, tuple[tuple[Rule, bool], ...]] = {}
    for rule in RULES:
        for shape in (*rule.shapes, *rule.vague):
            table[shape] = (*table.get(shape, ()), (rule, shape in rule.vague))
    return table


_TABLE = _by_shape()
_BEGINNINGS = frozenset(shape[:size] for shape in _TABLE for size in range(1, len(shape) + 1))
Group = tuple[int, int]


def runs(text: str) -> list[list[Group]]:
    """Groups of digits (start, end) that stand one separator apart, six digits or more in all."""
    return [
        [group.span() for group in DIGITS.finditer(text, run.start(), run.end())]
        for run in RUN.finditer(text)
    ]


def numbers(prose: Prose, found: list[list[Group]]) -> Iterator[Match]:
    """Every number in these runs that a rule knows, and that no further digit or letter touches."""
    tried: dict[Shape, list[tuple[Rule, bool]]] = {}
    for run in found:
        sizes = [end - start for start, end in run]
        for first in range(len(run)):
            for last in range(first, len(run)):
                shape = tuple(sizes[first : last + 1])
                if shape not in _BEGINNINGS:
                    break
                if shape in _TABLE:
                    if shape not in tried:
                        tried[shape] = [pair for pair in _TABLE[shape] if _is_spoken_of(prose, *pair)]
                    if tried[shape]:
                        yield from _known(prose, tried[shape], run[first : last + 1])


def _is_spoken_of(prose: Prose, rule: Rule, vague: bool) -> bool:  # noqa: FBT001 - half of a pair in the table
    """Whether the words that a vague shape needs are in the text at all: asked once a text."""
    return not vague or rule.words is None or rule.words.are_in(prose)


def _known(prose: Prose, rules: list[tuple[Rule, bool]], groups: list[Group]) -> Iterator[Match]:
    text, start, end = prose.text, groups[0][0], groups[-1][1]
    signs = {text[gap] for _, gap in groups[:-1]}
    if _touches(text, start, end) or len(signs) > MOST_SIGNS:
        return
    digits = "".join([text[a:b] for a, b in groups])
    for rule, vague in rules:
        if rule.check(digits):
            needed = rule.words if vague else None
            if needed is None or needed.are_near(prose, start, end):
                yield Match(rule.name, start, end)


def _touches(text: str, start: int, end: int) -> bool:
    """Whether the number is a piece of a longer word, or the end of a decimal."""
    if start and (text[start - 1].isalnum() or text[start - 1] in "_+"):
        return True
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return True
    return start > 1 and text[start - 1] in ".," and text[start - 2].isdigit()
