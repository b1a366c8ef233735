"""The prompts file: JSON lines, one prompt each, that profiling, judging and training begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from edgewise.domain.errors import StoreError, TableError
from edgewise.domain.privacy import privacy_of
from edgewise.features.conversations import turns_in, written
from edgewise.learning.prompts.texts import lines_in, opened, problem_of
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Split: TypeAlias = Literal["train", "test"]
ENDINGS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


class Prompt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prompt, and what is known of it.

    `prompt` is the text that tables and policies know it by; of a conversation its written form
    (`features.conversations`), and `messages` are then what a candidate is asked. `kind` and `group` label
    it, `split` says on which side it stands, `check` is a verifiable grader with what it needs, `level` a
    difficulty from 1 to 5, `source` where it comes from, and `privacy` what was promised for it. `more` are
    the line's other keys.
    """

    prompt: str
    messages: list[dict[str, Any]] | None = None
    kind: str | None = None
    group: str | None = None
    split: Split | None = None
    check: dict[str, Any] | None = None
    level: int | None = None
    source: str | None = None
    privacy: str | None = None
    more: dict[str, Any] = {}

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What a candidate is asked: OpenAI's messages."""
        return self.messages or [{"role": "user", "content": self.prompt}]


class _Known(Struct):
    """The keys of a line that mean something to us, in the types that they must have."""

    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    kind: str | None = None
    group: str | None = None
    split: Split | None = None
    check: dict[str, Any] | None = None
    level: int | None = None
    source: str | None = None
    privacy: str | None = None


NAMES = _Known.__struct_fields__
_plain = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def read_prompts(
    path: Path, *, keep_good: bool = False, bad: Callable[[str], None] | None = None
) -> Iterator[Prompt]:
    """The prompts of a file, one after the other, in memory that does not grow with it.

    Raises `TableError`, which names the line, at the first line that is none; with `keep_good` such lines
    are left out, and `bad` gets a sentence for each. A file without any good line is an error either way.
    """
    if path.is_dir():
        raise TableError(f"{path} is a folder, not a prompts file, which ends in .jsonl.")
    if not path.name.lower().endswith(ENDINGS):
        raise TableError(
            f"{path.name} is no prompts file, which ends in .jsonl; "
            f"make one of it: edgewise prompts import {path.name} -o prompts.jsonl."
        )
    yield from sifted(_found(path), path.name, keep_good=keep_good, bad=bad)


def write_prompts(prompts: Iterable[Prompt], path: Path) -> int:
    """Write prompts, aside and renamed at the end, so that the file is whole or not there; how many.

    Raises `StoreError` where the file cannot be written.
    """
    count = 0
    try:
        with aside(str(path)) as file:
            for prompt in prompts:
                file.write(line_of(prompt))
                count += 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StoreError(f"Cannot write {path}: {error.strerror or error}.") from error
    return count


def sifted(
    found: Iterable[Prompt | TableError],
    name: str,
    *,
    keep_good: bool = False,
    bad: Callable[[str], None] | None = None,
) -> Iterator[Prompt]:
    """The prompts among what was found; the first error is raised, or with `keep_good` told to `bad`."""
    count, first = 0, ""
    for one in found:
        if isinstance(one, Prompt):
            count += 1
            yield one
        elif not keep_good:
            raise TableError(f"{str(one).removesuffix('.')}; --keep-good leaves such lines out.")
        else:
            first = first or str(one)
            if bad:
                bad(str(one))
    if not count:
        raise TableError(f"{name} holds no prompt{f' that can be used: {first}' if first else '.'}")


def prompt_from(line: dict[str, Any]) -> Prompt | str:
    """A line's keys as a prompt, or the end of a sentence that says why they are none."""
    try:
        known = msgspec.convert(line, _Known)
    except msgspec.ValidationError as error:
        return f"is no prompt: {_said(error)}"
    if (known.prompt is None) == (known.messages is None):
        return f"has {'neither' if known.prompt is None else 'both'} of `prompt` and `messages`"
    if (asked := _asked(known)) is None:
        return "has `messages` without text; give each a `role` and `content`"
    text, messages = asked
    if problem := problem_of(text):
        return f"has a prompt that {problem}"
    try:
        privacy_of(known.privacy)
    except ValueError:
        return f"has the `privacy` {known.privacy!r}; it is `local`, or regions such as `region:eu`"
    values = {name: getattr(known, name) for name in NAMES[2:]}
    more = {name: value for name, value in line.items() if name not in NAMES}
    return Prompt(prompt=text, messages=messages, **values, more=more)


def line_of(prompt: Prompt) -> bytes:
    """A prompt as its line in the file; of a conversation the messages alone, which its text follows from."""
    keys: dict[str, Any] = {"prompt": prompt.prompt} if prompt.messages is None else {}
    for name in NAMES[1:]:
        if (value := getattr(prompt, name)) is not None:
            keys[name] = value
    return _encode(keys | prompt.more) + b"\n"


def prompts_in_line(line: str, where: str) -> Prompt | TableError:
    """One line of JSON as a prompt, or what is wrong with it."""
    try:
        read = _plain(line)
    except (msgspec.MsgspecError, RecursionError):
        return TableError(f"{where} is no JSON object.")
    except UnicodeEncodeError:
        return TableError(f"{where} {problem_of(line)}.")
    found = prompt_from(read)
    return found if isinstance(found, Prompt) else TableError(f"{where} {found}.")


def _asked(known: _Known) -> tuple[str, list[dict[str, Any]] | None] | None:
    """The text, and the messages where it is a conversation, in whichever form that stands."""
    try:
        text = known.prompt or "" if known.messages is None else _encode(known.messages).decode()
    except UnicodeEncodeError:
        return None
    turns = turns_in(text)
    if not turns:
        return (text, None) if known.messages is None else None
    messages, said = msgspec.json.decode(text, type=list[dict[str, Any]]), written(turns)
    return said, None if len(messages) == 1 and messages[0].get("content") == said else messages


def _found(path: Path) -> Iterator[Prompt | TableError]:
    with opened(path) as text:
        for number, line in lines_in(text, path.name):
            where = f"{path.name}, line {number}"
            yield line if isinstance(line, TableError) else prompts_in_line(line, where)


def _said(error: msgspec.ValidationError) -> str:
    """`Expected `int | null`, got `str` - at `$.level`` → `level`: expected `int | null`, got `str`."""
    what, _, place = str(error).partition(" - at `$.")
    return f"`{place.rstrip('`')}`: {what[0].lower()}{what[1:]}" if place else what
