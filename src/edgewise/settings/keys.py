"""Clients' keys: made once, kept as hashes, found again in constant time.

A key has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that salt or
stretching would slow down.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from hmac import compare_digest
from os import urandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.settings.schema import ServerKey

PREFIX = "ew-"
RANDOM_BYTES = 32
HASH_PREFIX = "sha256:"


def new_key() -> str:
    """`ew-` and 43 URL-safe characters: 256 bits from the operating system."""
    return PREFIX + urlsafe_b64encode(urandom(RANDOM_BYTES)).rstrip(b"=").decode()


def hash_key(key: str) -> str:
    """`sha256:` and 64 hexadecimal digits: what stands in `[[server.keys]]`."""
    return HASH_PREFIX + _digest(key).hex()


class KeyRing:
    """The keys that the server accepts. Their hashes are `hash_key`'s, as checked settings guarantee."""

    def __init__(self, keys: Iterable[ServerKey]) -> None:
        self._keys = [(bytes.fromhex(key.hash.removeprefix(HASH_PREFIX)), key) for key in keys]

    def find(self, presented: str) -> ServerKey | None:
        """The key that was presented, or None. Takes as long for a wrong key as for a right one."""
        digest = _digest(presented)
        found = None
        for known, key in self._keys:
            if compare_digest(known, digest):
                found = key  # no early exit: the time must not say which key it was
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
