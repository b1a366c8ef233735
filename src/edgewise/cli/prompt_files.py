"""What people hand in: prompts as arguments, on standard input, in files of text or of JSON lines."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from edgewise.domain.errors import RequestError
from edgewise.features.conversations import turns_in, written

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

STDIN = "-"
JSON_ENDINGS = (".jsonl", ".ndjson")


class Given(msgspec.Struct):
    """One prompt, and the candidates' answers to it where they are known already.

    A conversation stands there in its written form (`features.conversations`).
    """

    prompt: str
    responses: dict[str, str] | None = None


class _Line(msgspec.Struct):
    """A line of JSON: `prompt`, or `messages` in its place."""

    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    responses: dict[str, str] | None = None


_parse = msgspec.json.Decoder(_Line).decode


def given(prompt: str) -> str:
    """A prompt from the command line, or all of standard input for `-`. Raises `RequestError`."""
    if prompt != STDIN:
        return _checked(prompt, "The prompt")
    try:
        return _checked(sys.stdin.buffer.read().decode("utf-8-sig"), "Standard input")
    except UnicodeDecodeError as error:
        raise RequestError(f"Standard input is not UTF-8 text: byte {error.start} cannot be read.") from error


def prompts_in(source: str) -> list[Given]:
    """Every prompt of a file, or of standard input (`-`), all of them looked at before one is returned.

    Each line of a `.jsonl` holds an object with `prompt`. Elsewhere, a line that is a JSON object is read as
    one, and any other line is a prompt as it stands. Empty lines at the end are ignored. Raises
    `RequestError`, which names the line.
    """
    name = "standard input" if source == STDIN else source
    try:
        with _opened(source) as file:
            return _read(file, name, only_json=source.lower().endswith(JSON_ENDINGS))
    except OSError as error:
        raise RequestError(f"Cannot read {source}: {error.strerror}.") from error


def _opened(source: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if source == STDIN else Path(source).open("rb")


def _read(lines: Iterable[bytes], name: str, *, only_json: bool) -> list[Given]:
    found: list[Given] = []
    empty = ""
    for number, raw in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise RequestError(
                f"{where} is not UTF-8 text: its byte {error.start} cannot be read."
            ) from error
        if not line.strip():
            empty = empty or where
            continue
        if empty:
            raise RequestError(f"{empty} is empty; every line holds one prompt.")
        one = _one(line, where, only_json=only_json)
        _checked(one.prompt, f"The prompt in {where}")
        found.append(one)
    if not found:
        raise RequestError(f"{name} holds no prompt; give one a line.")
    return found


def _one(line: str, where: str, *, only_json: bool) -> Given:
    if not only_json and not _is_object(line):
        return Given(line)
    try:
        read = _parse(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RequestError(f"{where} is no JSON object with a `prompt`: {error}.") from error
    if (read.prompt is None) == (read.messages is None):
        found = "neither" if read.prompt is None else "both"
        raise RequestError(f"{where} is no JSON object with a `prompt` or `messages`: it has {found}.")
    if read.prompt is not None:
        return Given(read.prompt, read.responses)
    turns = turns_in(msgspec.json.encode(read.messages).decode())
    if not turns:
        raise RequestError(f"The `messages` in {where} hold no text; give each a `role` and `content`.")
    return Given(written(turns), read.responses)


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _checked(prompt: str, where: str) -> str:
    """The prompt, if anybody could answer it."""
    if not prompt.strip():
        raise RequestError(f"{where} is empty; give some words.")
    if "\x00" in prompt:
        raise RequestError(f"{where} holds a NUL character, which no model can read; leave it out.")
    try:
        prompt.encode()
    except UnicodeEncodeError as error:  # an argument whose bytes are no UTF-8 arrives as lone surrogates
        raise RequestError(f"{where} is not UTF-8 text.") from error
    return prompt
