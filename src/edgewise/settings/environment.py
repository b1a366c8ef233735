"""`.env`: secrets beside the configuration, read into the environment. What is set already wins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.DOTALL)
SINGLE_QUOTED = re.compile(r"\s*'([^']*)'\s*(?:#.*)?", re.DOTALL)
DOUBLE_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:#.*)?', re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$"}


def read_env(path: Path, environ: MutableMapping[str, str]) -> None:
    r"""Add what `.env` says to `environ`. An absent file says nothing.

    A line is `NAME=value`, `export NAME=value`, blank or a comment; values may stand in single quotes
    (as they are) or double ones (with \n, \t, \", \$). Nothing is expanded. Raises `SettingsError`
    with the file and the line, and never a value.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); mend or remove it.") from None
    for name, value in parse_env(raw, source=str(path)).items():
        environ.setdefault(name, value)


def parse_env(raw: bytes, *, source: str) -> dict[str, str]:
    """The assignments in the text of a `.env`; the last one of a name holds. Errors as in `read_env`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{source}: line {at} is not UTF-8; expected NAME=value in UTF-8.") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = ASSIGNMENT.fullmatch(line.rstrip("\r"))
        value = _value(match[2]) if match else None
        if match is None or value is None or "\0" in value:
            raise SettingsError(
                f"{source}: line {number} cannot be read; expected NAME=value, and quotes in pairs."
            )
        found[match[1]] = value
    return found


def _value(text: str) -> str | None:
    """What stands behind the equals sign, or None where quotes do not close."""
    if single := SINGLE_QUOTED.fullmatch(text):
        return single[1]
    if double := DOUBLE_QUOTED.fullmatch(text):
        return ESCAPE.sub(lambda found: ESCAPES.get(found[1], found[0]), double[1])
    plain = re.split(r"\s#", text, maxsplit=1)[0].strip()
    return None if plain.startswith(("'", '"')) else plain
