"""A time of which records are missing in the log, written down as soon as the log can be written again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from sqlite3 import Connection

MOST_GAPS = 100
KEYS = "gap:"


class Gap(Struct, frozen=True):
    """`lost` records between `since` and `until` (unix seconds) are missing, because of `why`.

    A log that was torn and begun anew leaves a gap, too: `lost` is then 0, what it held is in the old file.
    """

    since: float
    until: float
    lost: int
    why: str


_decode = msgspec.json.Decoder(Gap).decode


def add_gap(connection: Connection, gap: Gap) -> None:
    """Write a gap, inside a transaction of the caller's; only the newest hundred are kept."""
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"{KEYS}{gap.until:017.6f}", msgspec.json.encode(gap))
    )
    connection.execute(
        "DELETE FROM meta WHERE key LIKE ? AND key NOT IN "
        "(SELECT key FROM meta WHERE key LIKE ? ORDER BY key DESC LIMIT ?)",
        (f"{KEYS}%", f"{KEYS}%", MOST_GAPS),
    )


def gaps_of(rows: list[tuple[Any, ...]]) -> list[Gap]:
    """Gaps from the rows of `SELECT_GAPS`, oldest first."""
    return [_decode(value) for (value,) in rows]


SELECT_GAPS = f"SELECT value FROM meta WHERE key LIKE '{KEYS}%' ORDER BY key"  # noqa: S608 - our own word
