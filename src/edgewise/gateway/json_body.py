"""JSON from a client → a record; what is wrong with it becomes one sentence with its place."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

Shape = TypeVar("Shape")
DIAGNOSED_BYTES = 1_000_000
# What reads an object by looking through all its keys for each new one (llama.cpp does) takes their number
# squared: for one object of 2,000 keys, or a hundred of 200, some 20 ms. 100,000 keys were minutes.
MOST_PAIRS = 4_000_000
FEW_KEYS = 2_000  # so few in a whole body cannot be too many in any object
MOST_KEYS = 50_000  # in a whole body: to look at them one by one takes us 0.1 s
SHORTEST_KEY = len(b'"":0,')
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decoded(body: bytes, decode: Callable[[bytes], Shape]) -> Shape:
    """`decode(body)`, or `RequestError` (400)."""
    try:
        if not body.isascii():
            body.decode()
        return decode(body)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        place = where.strip("`").removeprefix("$.") if where else ""
        raise RequestError(f"{what}{f' at {place}' if place else ''}.", param=place or None) from None
    except UnicodeDecodeError as error:
        raise RequestError(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    except RecursionError:
        raise RequestError("The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise RequestError(f"The body is not valid JSON: {_diagnosis(body, str(error))}.") from None


def check_once(body: bytes, key: str) -> None:
    """Raise `RequestError` where an object's `key`, or a key inside its value, stands twice.

    Of two the last would hold, and what the first one promised would be lost without a word. The whole body
    is only read again where the key's bytes stand in it twice.
    """
    if body.count(b'"%b"' % key.encode()) > 1:
        json.loads(body, object_pairs_hook=partial(_once, only=key))
    json.loads(bytes(_top_level(body)[key]), object_pairs_hook=_once)


def check_keys(body: bytes, text: str) -> None:
    """Raise `RequestError` where objects of a valid body have more keys than a candidate should have to read.

    `text` is what the body says: the colons in it are nobody's keys.
    """
    if len(body) < FEW_KEYS * SHORTEST_KEY:
        return
    keys = body.count(b":") - text.count(":")
    if keys <= FEW_KEYS:
        return
    pairs = 0

    def counted(found: list[tuple[str, Any]]) -> None:
        nonlocal pairs
        pairs += len(found) ** 2

    if keys <= MOST_KEYS:
        json.loads(body, object_pairs_hook=counted)
    if keys > MOST_KEYS or pairs > MOST_PAIRS:
        most = int(MOST_PAIRS**0.5)
        raise RequestError(
            f"The body's objects have too many keys; one may have {most:,}, and all together {MOST_KEYS:,}."
        )


def _once(pairs: list[tuple[str, Any]], *, only: str | None = None) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen and only in (None, key):
            raise RequestError(f"The key '{key[:40]}' stands twice in one object; give it once.", param=key)
        seen.add(key)


def _diagnosis(body: bytes, fallback: str) -> str:
    """Where the JSON breaks, by the standard library's parser, which says it better."""
    if body.startswith(BOM_UTF8):
        return "it begins with a byte order mark; leave those three bytes out"
    if len(body) > DIAGNOSED_BYTES:
        return fallback
    try:
        json.loads(body, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RequestError as error:
        return str(error)
    except (ValueError, RecursionError):
        return fallback
    return "it holds half of a surrogate pair, which is no character"


def _no_number(word: str) -> None:
    raise RequestError(f"it holds {word}, which is no JSON number")
