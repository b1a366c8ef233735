"""What the router must remember of sessions, on disk: what was promised, and who answered last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.sessions.records import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from sqlite3 import Connection

FORGOTTEN_S = 30 * 86_400.0  # who answered last; a promise is never forgotten
READ = "SELECT privacy, candidate FROM marks WHERE session = ?"
PROMISE = (
    "INSERT INTO marks VALUES (?, ?, NULL, ?) "
    "ON CONFLICT (session) DO UPDATE SET privacy = excluded.privacy, at = excluded.at"
)
ANSWERED = (
    "INSERT INTO marks VALUES (?, NULL, ?, ?) "
    "ON CONFLICT (session) DO UPDATE SET candidate = excluded.candidate, at = excluded.at"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks in the file that `writing` opens a transaction on. Every method may raise StoreError."""

    writing: Callable[[], AbstractContextManager[Connection]]
    clock: Callable[[], float]

    def read(self, session: str) -> Mark:
        """What is known of a session; nothing is an empty mark."""
        with self.writing() as connection:
            row = connection.execute(READ, (session,)).fetchone()
        return Mark() if row is None else Mark(*row)

    def promise(self, session: str, privacy: str) -> None:
        """Add to what is promised; on disk when this returns. Other processes see the epoch change."""
        with self.writing() as connection:
            known = self.read(session).promising(privacy)
            connection.execute(PROMISE, (session, known.privacy, self.clock()))
            connection.execute("UPDATE epoch SET n = n + 1")

    def answered(self, candidates: Mapping[str, str | None]) -> None:
        """Note who answered each session last, and let go of what nobody has asked for in a month."""
        now = self.clock()
        with self.writing() as connection:
            connection.executemany(ANSWERED, [(name, who, now) for name, who in candidates.items()])
            connection.execute("DELETE FROM marks WHERE privacy IS NULL AND at < ?", (now - FORGOTTEN_S,))
