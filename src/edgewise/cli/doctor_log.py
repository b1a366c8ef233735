"""What `edgewise doctor` says about the outcome log."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from edgewise.outcomes.gaps import SELECT_GAPS, Gap, gaps_of

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["ok", "warn", "fail"]

PATIENCE_S = 0.5


def look(path: Path) -> tuple[State, str, str]:
    """The state of the log, what was found, and (unless all is well) how to mend it."""
    mend = f"Move {path} away, or set [store] path to another file."
    if not path.exists():
        return "ok", f"{path} will be made.", ""
    try:
        with closing(_opened(path)) as log:
            log.execute("SELECT count(*) FROM sqlite_master").fetchone()
            gaps = _gaps(log)
            log.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return "ok", f"{path} is being written to.", ""
        return "fail", f"{path} cannot be opened ({error}).", mend
    except sqlite3.DatabaseError as error:
        return "fail", f"{path} is no log ({error}).", mend
    return _told(path, gaps) if gaps else ("ok", f"{path} opens.", "")


def _opened(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)


def _gaps(log: sqlite3.Connection) -> list[Gap]:
    with suppress(sqlite3.OperationalError):  # an empty file has no tables yet
        return gaps_of(log.execute(SELECT_GAPS).fetchall())
    return []


def _told(path: Path, gaps: list[Gap]) -> tuple[State, str, str]:
    last, lost = gaps[-1], sum(gap.lost for gap in gaps)
    when = datetime.fromtimestamp(last.until).astimezone().strftime("%Y-%m-%d %H:%M")
    found = f"{path} opens; in {len(gaps)} gaps it lacks {lost} records, lastly on {when}: {last.why}"
    return "warn", found, "Nothing brings them back; see to it that the disk has room and the file stays."
