"""Lots that stick: the same name always draws the same number."""

from __future__ import annotations

from hashlib import blake2b

WIDTH = 8


def lot(salt: str, name: str) -> float:
    """A number from 0 to below 1, even over names, the same for the same salt and name."""
    digest = blake2b(f"{salt}\0{name}".encode("utf-8", "surrogatepass"), digest_size=WIDTH).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # as many bits as a float holds
