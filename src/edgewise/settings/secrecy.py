"""What may be shown of a value that somebody wrote into a file. What looks like a secret never is."""

from __future__ import annotations

import re
from typing import Any

LONGEST_SHOWN = 40
WIDEST_NUMBER_BITS = 128
# Settings whose value is never shown, whatever it looks like: each has been mistaken for the place of a key.
NEVER_SHOWN = frozenset({"hash", "url", "api_key_env"})
_KEY_PREFIX = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|ew|xai|nvapi|glpat|key)-|(?:sk|pk|rk|gsk|hf|r8|fw|gh[a-z]|github_pat|pplx)_|AIza)"
    r"[A-Za-z0-9_-]{8,}"
)
_UNBROKEN = re.compile(r"[A-Za-z0-9_+/=-]{20,}")
_UPPER_UNBROKEN = re.compile(r"[A-Z0-9]{24,}")
_FEWEST_DIGITS = 3


def has_key_prefix(text: str) -> bool:
    """Whether something in `text` begins as providers' keys do."""
    return _KEY_PREFIX.search(text) is not None


def looks_secret(text: str) -> bool:
    """Whether `text` could be a key: a known prefix, or a long unbroken run of letters and digits."""
    if has_key_prefix(text):
        return True
    runs = [run for run in _UNBROKEN.findall(text) if sum(map(str.isdecimal, run)) >= _FEWEST_DIGITS]
    return any(any(map(str.islower, run)) or _UPPER_UNBROKEN.search(run) for run in runs)


def shown(value: Any, *, setting: str = "") -> str:
    """`value` for an error message: at most 40 characters of it, and nothing that may be secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, str) and (setting in NEVER_SHOWN or looks_secret(value)):
        return "a text that is not repeated here"
    if isinstance(value, str):
        return f'"{printable(value)}"'
    if isinstance(value, int) and value.bit_length() > WIDEST_NUMBER_BITS:
        return "a very large number"
    return str(value) if isinstance(value, (int, float)) else "a date or a time"


def shown_key(key: str) -> str:
    """A part of a key path, as it would stand in the file."""
    if looks_secret(key):
        return "(a name that is not repeated here)"
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{printable(key)}"'


def printable(text: str) -> str:
    """`text` on one line, at most 40 characters, with escapes for what a terminal might obey."""
    short = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in short)


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"
