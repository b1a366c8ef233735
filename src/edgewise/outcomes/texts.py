"""What of a prompt's text may be written down: decided here, before anything reaches the log."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.settings.schema import Texts as How


@dataclass(frozen=True, slots=True)
class Texts:
    """`[store] prompts` as a function: a prompt in, (its text or None, its hash or None) out.

    `how` is "full" (the text), "hash" or "none". The hash tells repeated prompts apart and nothing more:
    it is keyed with `salt`, 32 random bytes that each log makes for itself. A plain SHA-256 of "yes" is
    the same everywhere, so that a list of likely prompts would give short ones away.
    Raises ValueError for "hash" without a salt.
    """

    how: How
    salt: bytes = b""

    def __post_init__(self) -> None:
        if self.how == "hash" and not self.salt:
            raise ValueError('prompts = "hash" needs a salt; every outcome log has one (SqliteLog.salt)')

    def __call__(self, prompt: str) -> tuple[str | None, str | None]:
        """(text, hash): the text only for "full", 64 hexadecimal digits only for "hash"."""
        if self.how == "full":
            return prompt, None
        if self.how == "hash":
            return None, hmac.digest(self.salt, prompt.encode("utf-8", "surrogatepass"), "sha256").hex()
        return None, None
