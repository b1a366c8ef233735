"""Prompts on their way to be asked, while what is wrong with a check can still be mended for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.errors import MissingExtra, TableError
from edgewise.learning.graders.registry import grader_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgewise.learning.prompts import Prompt


def checked(prompts: Iterable[Prompt], name: str) -> Iterator[Prompt]:
    """The same prompts. Raises `TableError` at the first check that nobody can grade by; `name` is theirs."""
    for number, prompt in enumerate(prompts, 1):
        if prompt.check is not None:
            try:
                grader_of(prompt.check)
            except TableError as error:
                raise TableError(
                    f"{name}, prompt {number} has a `check` that nobody can grade by: {error}"
                ) from None
            except MissingExtra:  # nobody can tell without the library
                pass
        yield prompt
