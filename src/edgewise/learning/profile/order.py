"""The prompts of a profile in a seeded order, read from disk one at a time."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from hashlib import blake2b, sha256
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.errors import StoreError, TableError
from edgewise.domain.keys import prompt_key
from edgewise.domain.privacy import privacy_of
from edgewise.learning.prompts.files import Prompt, line_of, prompts_in_line
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PLACE_BITS = 40  # of an offset: files up to a terabyte
ORDER_BITS = 24  # of the draw; prompts that draw alike are told apart by their keys


@dataclass(frozen=True, slots=True)
class Order:
    """The prompts in the copy at `path`, each once: eight bytes of memory a prompt, whatever its length.

    `fingerprint` is the hash of all of their lines. The order depends on the seed and on each prompt alone:
    adding prompts to a file does not mix up the others.
    """

    path: Path
    places: array[int]
    fingerprint: str

    def __iter__(self) -> Iterator[tuple[str, Prompt]]:
        """Each prompt with its key, and the strictest of the promises that its copies were given."""
        with self.path.open("rb") as file:
            for _, places in groupby(self.places, key=lambda place: place >> PLACE_BITS):
                found: dict[str, Prompt] = {}
                for place in places:
                    file.seek(place & ((1 << PLACE_BITS) - 1))
                    prompt = self._prompt(file.readline())
                    known = found.setdefault(key := prompt_key(prompt.prompt), prompt)
                    if prompt.privacy != known.privacy:
                        found[key] = replace(known, privacy=privacy_of(known.privacy, prompt.privacy))
                yield from found.items()

    def _prompt(self, line: bytes) -> Prompt:
        found = prompts_in_line(line.decode(), self.path.name)
        if isinstance(found, TableError):
            raise found
        return found


def copied(prompts: Iterable[Prompt], path: Path, seed: int) -> Order:
    """Write the prompts to `path`, whole or not at all, and put them into an order.

    Raises `StoreError` where it cannot be written, and whatever reading the prompts raises.
    """
    places, offset, digest = array("Q"), 0, sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(str(path)) as file:
            for prompt in prompts:
                line = line_of(prompt)
                places.append(_drawn(seed, prompt_key(prompt.prompt)) << PLACE_BITS | offset)
                file.write(line)
                digest.update(line)
                offset += len(line)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror or error}.") from error
    return Order(path, array("Q", sorted(places)), digest.hexdigest())


def _drawn(seed: int, key: str) -> int:
    digest = blake2b(f"{seed}:{key}".encode(), digest_size=ORDER_BITS // 8)
    return int.from_bytes(digest.digest())
