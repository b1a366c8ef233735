"""Sessions that somebody else wrote, and promises that are made while they are copied."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.sessions.made import said

from edgewise.cli.sessions import row
from edgewise.domain.errors import RequestError
from edgewise.sessions import Session, SessionStore
from edgewise.sessions.exchange import from_json

FILE = b'{"id":"s1","updated_at":%b,"messages":[{"role":"user","content":"hi","timestamp":%b}]}'
ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # the first and the last to see a day


@pytest.mark.parametrize(
    "moment", [b'"9999-12-31T23:30:00Z"', b'"0001-01-01T00:30:00Z"', b"253402299000", b"-62135595000"]
)
def test_a_time_that_not_every_zone_can_show_is_none(moment: bytes) -> None:
    """One such session would keep all of them from being listed."""
    for data in (FILE % (moment, b"null"), FILE % (b"null", moment)):
        with pytest.raises(RequestError, match="is no time"):
            from_json(data, source="x.json", now=0.0)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", [b'"9998-12-31T23:30:00Z"', b'"0002-01-01T00:30:00Z"'])
def test_the_others_can_be_shown_everywhere(
    zone: str, moment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        shown = row(from_json(FILE % (moment, b"null"), source="x.json", now=0.0))
        assert ":" in shown[1]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_session_takes_the_name_of_the_latest(tmp_path: Path) -> None:
    """`delete last` would delete another one."""
    store = SessionStore(tmp_path / "s.sqlite")
    with pytest.raises(RequestError, match="means the latest session"):
        store.put(Session(id="last", title="x", created_at=0.0, updated_at=0.0))
    assert store.latest() == []
    store.close()


class Noting(SessionStore):
    """Notes of each reading whether others could write meanwhile."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.held: list[bool] = []

    def show(self, which: str) -> Session:
        connection = self._connection
        self.held.append(connection is not None and connection.in_transaction)
        return super().show(which)


def test_nothing_can_be_promised_between_reading_and_writing_a_copy(tmp_path: Path) -> None:
    store = Noting(tmp_path / "s.sqlite")
    one, other = store.create("one"), store.create("other")
    store.append(one.id, said("user", "hi"))
    store.held.clear()
    store.copy(one.id)
    store.merge([one.id, other.id])
    assert store.held == [True] * 5  # one is read and one made, then two and one
    store.close()
