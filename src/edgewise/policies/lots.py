"""What the wrappers of two policies share: lots that stick, and what both read."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.domain.protocols import Policy

WIDTH = 8


def lot(salt: str, name: str) -> float:
    """A number from 0 to below 1, even over names, the same for the same salt and name."""
    digest = blake2b(f"{salt}\0{name}".encode("utf-8", "surrogatepass"), digest_size=WIDTH).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # as many bits as a float holds


def features_of(policy: Policy) -> str | None:
    """The version of the features that a policy reads beside the text's statistics, if it does."""
    version = getattr(policy, "features", None)
    return version if isinstance(version, str) else None
