"""The JSON value that an answer holds, with or without words and fences around it."""

from __future__ import annotations

import json
import re
from typing import Any

from edgewise.learning.graders.wording import spoken

FENCED = re.compile(r"```[\w-]{0,20}[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
MOST_STARTS = 50  # places where a value may begin that are tried in prose


class NotOne(ValueError):
    """An answer holds no JSON value, or several."""


def value_in(response: str, *, alone: bool = False) -> Any:
    """The only JSON value of an answer; with `alone` nothing but a fence may stand around it.

    Raises `NotOne` where there is none, where there are different ones, and for objects that have a key
    twice: whoever reads one may take either.
    """
    said = spoken(response)
    blocks = FENCED.findall(said) if said.count("```") <= 2 * MOST_STARTS else []
    if alone and blocks and not (said.startswith("```") and said.endswith("```") and len(blocks) == 1):
        raise NotOne("Something stands beside the JSON.")
    texts = blocks or [said]
    values = [value for text in texts if (value := _whole(text)) is not NOTHING]
    if not values and not alone and not blocks:
        values = _inside(said)
    if not values:
        raise NotOne("It holds no JSON." if not alone else "It is not JSON and nothing else.")
    if any(value != values[0] for value in values):
        raise NotOne("It holds several JSON values where one is due.")
    return values[0]


NOTHING = object()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotOne("It holds a key twice.")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_constant)


def _whole(text: str) -> Any:
    try:
        return _decoder.decode(text.strip())
    except NotOne:
        raise
    except (ValueError, RecursionError):
        return NOTHING


def _inside(text: str) -> list[Any]:
    """The objects and lists that stand in prose, one after the other."""
    found: list[Any] = []
    at, tried = 0, 0
    while tried < MOST_STARTS:
        starts = [start for bracket in "{[" if (start := text.find(bracket, at)) >= 0]
        if not starts:
            break
        tried += 1
        try:
            value, at = _decoder.raw_decode(text, min(starts))
        except NotOne:
            raise
        except (ValueError, RecursionError):
            at = min(starts) + 1
            continue
        found.append(value)
    return found
