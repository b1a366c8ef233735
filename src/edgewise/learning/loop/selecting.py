"""Of a profile that has seen other prompts or candidates too: the rows that the loop is about now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from edgewise.domain.errors import StoreError
from edgewise.domain.keys import prompt_key
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from edgewise.learning.prompts import Prompt


class _Row(Struct):
    prompt: str
    candidate: str


def selected(outcomes: Path, prompts: Iterable[Prompt], candidates: Collection[str], target: Path) -> bool:
    """Write the rows of these prompts and candidates to `target`; False, and no file, where all rows are.

    Raises `StoreError` where it cannot be written.
    """
    keys = {prompt_key(prompt.prompt) for prompt in prompts}
    read = msgspec.json.Decoder(_Row).decode
    left = 0
    try:
        with outcomes.open("rb") as rows, aside(str(target)) as file:
            for line in rows:
                row = read(line)
                if row.candidate in candidates and prompt_key(row.prompt) in keys:
                    file.write(line)
                else:
                    left += 1
        if not left:
            target.unlink()
    except OSError as error:
        raise StoreError(f"Cannot write {target}: {error.strerror or error}.") from error
    return left > 0
