"""Conversations on disk: what was put in comes out, and nothing else touches it."""

from __future__ import annotations

import sqlite3
import stat
import sys
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.sessions.made import answered, said

from edgewise.domain.errors import EdgewiseError, RequestError, StoreError, UnknownModel
from edgewise.sessions import SessionStore
from edgewise.sessions.exchange import from_json, to_json, to_markdown
from edgewise.sessions.schema import MIGRATIONS, connect


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    clock = count(1_790_000_000)
    return SessionStore(tmp_path / "sessions.sqlite", clock=lambda: float(next(clock)))


def test_a_conversation_survives(store: SessionStore) -> None:
    made = store.create("About France", local=True)
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    store.append(made.id, said("user", "Hi"), said("assistant", None, tool_calls=calls))
    store.append(made.id, said("tool", "42", tool_call_id="c1"), answered("It is 42.", "tiny"))
    store.close()
    again = SessionStore(store.path).show(made.id)
    assert [m.wire() for m in again.messages] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
        {"role": "assistant", "content": "It is 42."},
    ]
    assert (again.title, again.local, again.count) == ("About France", True, 4)
    assert len({m.id for m in again.messages}) == 4
    assert again.updated_at > made.updated_at


def test_filters(store: SessionStore) -> None:
    a, b, c = store.create("Straße nach Rom"), store.create("Bread", local=True), store.create("Rome, again")
    store.append(a.id, answered("x", "tiny"))
    assert [s.id for s in store.latest()] == [a.id, c.id, b.id]
    assert [s.id for s in store.latest(1)] == [a.id]
    assert [s.id for s in store.latest(title="STRASSE")] == [a.id]
    assert [s.id for s in store.latest(candidate="tiny")] == [a.id]
    assert [s.id for s in store.latest(local=True)] == [b.id]
    assert {s.id for s in store.latest(local=False)} == {a.id, c.id}
    assert [s.id for s in store.latest(after=c.updated_at)] == [a.id]
    assert {s.id for s in store.latest(until=c.updated_at)} == {b.id, c.id}
    assert store.latest(title="Rom", local=True) == []


def test_by_a_beginning_and_by_last(store: SessionStore) -> None:
    a = store.create("one")
    assert store.show(a.id[:7]).id == a.id
    assert store.show("last").id == a.id
    store.put(replace(a, id=a.id[:7]))
    assert store.show(a.id[:7]).id == a.id[:7]  # a whole id is itself
    with pytest.raises(RequestError, match="More than one"):
        store.show("ses_")


def test_rename_copy_merge_delete(store: SessionStore) -> None:
    a, b = store.create("one"), store.create("two", local=True)
    store.append(a.id, said("user", "1"))
    store.append(b.id, said("user", "2"), answered("3", "tiny"))
    assert store.rename(a.id, "  the\nfirst ").title == "the first"
    copy = store.copy(a.id)
    assert (copy.title, copy.local, [m.content for m in copy.messages]) == ("Copy of the first", False, ["1"])
    merged = store.merge([a.id, b.id])
    assert (merged.title, merged.local) == ("the first + two", True)
    assert [m.content for m in merged.messages] == ["1", "2", "3"]
    assert store.copy(b.id).local
    store.delete(a.id)
    with pytest.raises(UnknownModel, match="There is no session"):
        store.show(a.id)
    assert store.show(copy.id).count == 1
    with pytest.raises(RequestError, match="at least two different"):
        store.merge([b.id, b.id])


def test_a_promise_outlives_its_conversation(store: SessionStore) -> None:
    made = store.create("secret", local=True)
    store.delete(made.id)
    assert store.put(replace(made, privacy=None)).local


@pytest.mark.parametrize(
    "wrong", ["../../etc/passwd", "a/b", "", "a" * 65, "-x", "a.b", "C:\\x", "ü", "a\n", "%2e%2e"]
)
def test_what_is_no_id_is_refused_in_one_sentence(store: SessionStore, wrong: str) -> None:
    for call in (store.show, store.delete, store.copy):
        with pytest.raises(RequestError, match="is no session's id") as refused:
            call(wrong)
        assert "\n" not in str(refused.value)


def test_an_empty_store_says_so(store: SessionStore) -> None:
    with pytest.raises(UnknownModel, match="There is no session yet"):
        store.show("last")


def test_a_title_is_a_line_of_text(store: SessionStore) -> None:
    assert len(store.create("x" * 900).title) == 200
    for wrong in ("", " \n ", "a\x1b[2Jb"):
        with pytest.raises(RequestError, match="title"):
            store.create(wrong)


def test_half_a_character_is_a_sentence_and_nothing_is_kept_of_it(store: SessionStore) -> None:
    made = store.create("one")
    with pytest.raises(StoreError, match="cannot be used"):
        store.append(made.id, said("user", "fine"), answered("\ud800", "tiny"))
    assert store.show(made.id).count == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
def test_only_the_owner_may_read_it(store: SessionStore) -> None:
    store.create("one")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_files_that_are_not_ours(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    torn = tmp_path / "torn.sqlite"
    torn.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    newer = tmp_path / "newer.sqlite"
    connection = connect(newer)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    for path, why in [(foreign, "another program"), (torn, "cannot be opened"), (newer, "a newer Edgewise")]:
        with pytest.raises(StoreError, match=why) as refused:
            SessionStore(path).latest()
        assert "\n" not in str(refused.value)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    kept = SessionStore(path).create("one")

    def breaks(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE messages")
        connection.execute("nonsense")

    with pytest.raises(StoreError):
        connect(path, migrations=(*MIGRATIONS, breaks))
    assert SessionStore(path).show(kept.id).id == kept.id


def test_two_processes_may_open_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    one, two = SessionStore(path), SessionStore(path)
    a, b = one.create("a"), two.create("b")
    assert {s.id for s in one.latest()} == {s.id for s in two.latest()} == {a.id, b.id}


def test_json_out_and_in(store: SessionStore, tmp_path: Path) -> None:
    made = store.create("Wörter", local=True)
    store.append(made.id, said("user", "Hi", name="Ann"), answered("Hello", "tiny"))
    whole = store.show(made.id)
    read = from_json(to_json(whole), source="x.json", now=0.0)
    assert read == whole
    other = SessionStore(tmp_path / "other.sqlite")
    assert other.put(read) == replace(whole, messages=other.show(made.id).messages)
    assert other.show(made.id).local
    with pytest.raises(RequestError, match="already a session"):
        other.put(read)


def test_markdown_reads_as_a_page(store: SessionStore) -> None:
    made = store.create("France", local=True)
    calls = [{"id": "c1", "function": {"name": "f", "arguments": "```"}}]
    store.append(
        made.id,
        said("user", "Capital?"),
        said("assistant", None, tool_calls=calls),
        answered("Paris.", "phi"),
    )
    page = to_markdown(store.show(made.id))
    assert page.startswith("# France\n")
    assert "## user\n\nCapital?\n" in page
    assert "## assistant (phi)\n\nParis.\n" in page
    assert "must not leave this machine" in page


OBLIX = b"""{"id": "0b0e0f9e-55d3-4e4e-9a5b-1f2d7c3f9a10", "title": "My chat",
 "created_at": "2025-03-01T10:00:00.123456", "updated_at": "2025-03-01T10:05:00",
 "messages": [
  {"id": "m1", "role": "user", "content": "Hi", "timestamp": "2025-03-01T10:00:01",
   "context": {"topic": "greeting"}, "metadata": {}},
  {"id": "m2", "role": "assistant", "content": "Hello.", "timestamp": "2025-03-01T10:00:02",
   "context": null, "metadata": {"model": "ollama:phi"}}]}"""


def test_a_session_of_the_orchestration_sdk(store: SessionStore) -> None:
    kept = store.put(from_json(OBLIX, source="x.json", now=1.0))
    assert (kept.id, kept.title, kept.count) == ("0b0e0f9e-55d3-4e4e-9a5b-1f2d7c3f9a10", "My chat", 2)
    assert [m.id for m in kept.messages] == ["m1", "m2"]
    assert kept.messages[0].metadata == {"context": {"topic": "greeting"}}
    assert kept.messages[1].metadata == {"model": "ollama:phi"}
    assert kept.messages[1].at - kept.messages[0].at == 1.0
    assert kept.updated_at - kept.created_at == pytest.approx(299.876544)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (OBLIX[:200], "x.json is torn, or no JSON"),
        (b"", "x.json is torn"),
        (b"\xff\xfe", "x.json is torn"),
        (b"[]", "x.json is no session: Expected `object`"),
        (b'{"id": "a"}', "missing required field `messages`"),
        (b'{"id": "../../x", "messages": []}', "'../../x' is no session's id"),
        (b'{"id": "a", "messages": [{"content": "x"}]}', "missing required field `role` at messages"),
        (b'{"id": "a", "messages": [{"role": "user", "content": 3}]}', "at messages[0].content"),
        (b'{"id": "a", "messages": [{"role": "user", "extras": {"tool_calls": 3}}]}', "at messages"),
        (b'{"id": "a", "created_at": "soon", "messages": []}', "'soon' is no time"),
        (b'{"id": "a", "created_at": 1e300, "messages": []}', "is no time"),
        (b'{"id": "a", "format": "edgewise-session-9", "messages": []}', "expected 'edgewise-session-1'"),
        (b'{"id": "a", "privacy": "maybe", "messages": []}', "the privacy 'maybe' does not exist"),
        (b"[" * 100_000, "x.json"),
    ],
)
def test_files_that_cannot_be_imported_are_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        from_json(data, source="x.json", now=0.0)
    assert sentence in str(refused.value)
    assert str(refused.value).count("x.json") == 1
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_session_or_a_sentence(data: bytes) -> None:
    try:
        from_json(data, source="x.json", now=0.0)
    except EdgewiseError as error:
        assert "x.json" in str(error)
