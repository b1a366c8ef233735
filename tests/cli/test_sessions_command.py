"""`edgewise sessions`: what it makes, moves and takes along, and its one sentence for what it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.stored import edgewise
from tests.sessions.made import answered, said

from edgewise.sessions import FILE, SessionStore

OBLIX = {
    "id": "0b0e0f9e-55d3-4e4e-9a5b-1f2d7c3f9a10",
    "title": "Old chat",
    "created_at": "2025-03-01T10:00:00",
    "updated_at": "2025-03-01T10:05:00",
    "messages": [
        {"id": "m1", "role": "user", "content": "Hi", "timestamp": "2025-03-01T10:00:01",
         "context": {}, "metadata": {}},
    ],
}  # fmt: skip


class Called:
    """Runs the command and gives back what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = monkeypatch, capsys

    def __call__(self, *words: str) -> str:
        assert edgewise(self._patch, "sessions", *words) == 0, self._capture.readouterr().err
        return self._capture.readouterr().out

    def refused(self, *words: str) -> str:
        assert edgewise(self._patch, "sessions", *words) == 2
        said = self._capture.readouterr()
        assert said.out == ""
        assert said.err.startswith("edgewise: ")
        assert said.err.count("\n") == 1, said.err
        return said.err


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Called(monkeypatch, capsys)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / FILE)


def test_from_new_to_deleted(sessions: Called, store: SessionStore) -> None:
    first = sessions("new", "About France").strip()
    second = sessions("new", "--local").strip()
    store.append(first, said("user", "Capital?"), answered("Paris.", "tiny"))
    listed = json.loads(sessions("list", "--json"))
    assert [(s["id"], s["title"], s["local"], s["messages"]) for s in listed] == [
        (first, "About France", False, 2),
        (second, "Untitled", True, 0),
    ]
    assert "About France" in sessions("list")
    for filters, found in [
        (["--title", "france"], [first]),
        (["--candidate", "tiny"], [first]),
        (["--local"], [second]),
        (["--not-local", "-n", "1"], [first]),
        (["--after", "2999-01-01"], []),
        (["--until", "2999-01-01"], [first, second]),
    ]:
        assert [s["id"] for s in json.loads(sessions("list", "--json", *filters))] == found
    sessions("rename", first[:9], "Elsewhere")
    copy = sessions("copy", first, "--title", "Twice").strip()
    merged = sessions("merge", copy, second).strip()
    assert store.show(merged).local
    assert "## assistant (tiny)\n\nParis." in sessions("show", merged)
    assert json.loads(sessions("show", first, "--json"))["title"] == "Elsewhere"
    sessions("delete", first, second)
    assert {s.id for s in store.latest()} == {copy, merged}


def test_out_and_in_again(sessions: Called, store: SessionStore, tmp_path: Path) -> None:
    made = sessions("new", "About France", "--local").strip()
    store.append(made, said("user", "Capital?"), answered("Paris.", "tiny"))
    whole = sessions("show", made, "--json")
    sessions("export", made, "-o", "x.json")
    sessions("export", made, "-o", "x.md")
    assert (tmp_path / "x.json").read_text() == whole
    assert (tmp_path / "x.md").read_text().startswith("# About France\n")
    assert "There is already a session" in sessions.refused("import", "x.json")
    assert sessions("import", "x.json", "--copy").strip() != made
    sessions("delete", made)
    assert sessions("import", "x.json").strip() == made
    assert sessions("show", made, "--json") == whole
    assert list(tmp_path.glob(".*.part")) == []


def test_the_orchestration_sdks_sessions(sessions: Called, store: SessionStore, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(OBLIX))
    assert sessions("import", "old.json", "--local").strip() == OBLIX["id"]
    kept = store.show(str(OBLIX["id"]))
    assert (kept.title, kept.local, kept.messages[0].wire()) == (
        "Old chat",
        True,
        {"role": "user", "content": "Hi"},
    )


def test_of_several_files_all_or_none(sessions: Called, store: SessionStore, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps({**OBLIX, "id": name}))
    (tmp_path / "torn.json").write_text(json.dumps(OBLIX)[:99])
    assert "torn.json is torn" in sessions.refused("import", "a.json", "torn.json")
    sessions("new")
    assert "already a session 'a'" in sessions.refused("import", "b.json", "a.json", "a.json")
    assert len(store.latest()) == 1
    assert sessions("import", "a.json", "b.json").split() == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "last"], "There is no session yet."),
        (["show", "none"], "There is no session 'none'."),
        (["show", "../../etc/passwd"], "is no session's id"),
        (["delete", "a/../b"], "is no session's id"),
        (["rename", "none", "x"], "There is no session 'none'."),
        (["merge", "none"], "There is no session 'none'."),
        (["import", "none.json"], "Cannot read none.json: No such file or directory."),
        (["import", "."], "Cannot read .: Is a directory."),
        (["import", "evil.json"], "evil.json: '../../evil' is no session's id"),
        (["list", "--after", "soon"], "'soon' is no date"),
        (["new", "\x1b[2J"], "A session's title is some printable text on one line."),
        (["export", "kept", "--format", "pdf"], "The format 'pdf' does not exist"),
        (["export", "kept", "-o", "no/such/folder.json"], "Cannot write no/such/folder.json"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    sessions: Called, store: SessionStore, tmp_path: Path, words: list[str], sentence: str
) -> None:
    (tmp_path / "evil.json").write_text(json.dumps({**OBLIX, "id": "../../evil"}))
    if "kept" in words:
        (tmp_path / "kept.json").write_text(json.dumps({**OBLIX, "id": "kept"}))
        sessions("import", "kept.json")
    assert sentence in sessions.refused(*words)


def test_a_terminal_cannot_be_harmed_by_what_is_kept(sessions: Called, store: SessionStore) -> None:
    made = sessions("new").strip()
    store.append(made, answered("\x1b]0;owned\x07", "tiny"))
    assert "\x1b" not in sessions("show", made)
    assert "\x1b" not in sessions("show", made, "--json")
