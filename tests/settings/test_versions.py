"""Changes of a configuration: what stays, what is checked, what is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings.edited import with_values
from edgewise.settings.schema import Settings
from edgewise.settings.versions import Versions

TEXT = """# mine
[objective]   # what I want
name = "qos"  # for now
cloud_share = 0.2

[[candidates]]
id = "phi"  # small
location = "edge"
url = "http://127.0.0.1:11434/v1"
"""
COST = {"name": "quality-at-cost", "weight": 0.3, "floor": None, "cloud_share": None, "usd_per_1k": None}


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    (tmp_path / "edgewise.toml").write_text(TEXT)
    return Versions(tmp_path / "edgewise.toml", tmp_path / "kept", clock=lambda: 1000.0)


def test_only_what_was_asked_changes() -> None:
    changed = with_values(TEXT, "objective", COST)
    assert "# mine" in changed
    assert "# small" in changed
    assert 'name = "quality-at-cost"' in changed
    assert "weight = 0.3" in changed
    assert "cloud_share" not in changed
    assert changed.endswith(TEXT[TEXT.index("[[candidates]]") :])


def test_a_table_is_made_where_there_is_none_and_goes_when_empty() -> None:
    bare = TEXT[TEXT.index("[[candidates]]") :]
    made = with_values(bare, "objective", {"name": "qos"})
    assert "[objective]" in made
    assert "[objective]" not in with_values(made, "objective", {"name": None})


def test_apply_and_undo_are_exact(versions: Versions) -> None:
    settings = versions.apply("objective", COST, "quality-at-cost:0.3")
    assert (settings.objective.name, settings.objective.weight) == ("quality-at-cost", 0.3)
    assert versions.latest is not None
    assert versions.latest.how == "quality-at-cost:0.3"
    versions.apply("objective", {"weight": 0.5}, "more")
    assert versions.undo().objective.weight == 0.3
    assert versions.undo().objective.name == "qos"
    assert versions.file.read_text() == TEXT
    assert [change.undone_at for change in versions.changes] == [1000.0, 1000.0]
    with pytest.raises(SettingsError, match="no change to undo"):
        versions.undo()


def test_what_would_be_wrong_is_not_written(versions: Versions, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        versions.apply("objective", {"name": "qos", "weight": -1.0}, "wrong")
    assert versions.file.read_text() == TEXT
    assert versions.changes == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edgewise.toml"]


def test_a_file_changed_by_hand_is_not_undone(versions: Versions) -> None:
    versions.apply("objective", COST, "mine")
    versions.file.write_text(versions.file.read_text() + "# by hand\n")
    with pytest.raises(SettingsError, match="changed by hand"):
        versions.undo()
    assert versions.file.read_text().endswith("# by hand\n")


def test_without_a_file_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no .*edgewise\.toml"):
        Versions(tmp_path / "edgewise.toml", tmp_path / "kept").apply("objective", COST, "mine")


@pytest.mark.parametrize("text", ["objective = 3\n", "[objective\n"])
def test_texts_that_cannot_be_changed(text: str) -> None:
    with pytest.raises(SettingsError):
        with_values(text, "objective", COST)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.replace('[objective]   # what I want\nname = "qos"  # for now\ncloud_share = 0.2\n', ""),
        'objective = { name = "qos", cloud_share = 0.2 }\n' + TEXT[TEXT.index("[[candidates]]") :],
        '["objective"]\n"name" = "qos"\n' + TEXT[TEXT.index("[[candidates]]") :],
    ],
    ids=["crlf", "bom", "absent", "inline", "quoted"],
)
def test_a_file_keeps_its_ways_however_it_is_written(versions: Versions, text: str) -> None:
    versions.file.write_bytes(text.encode())
    assert versions.apply("objective", COST, "dearer").objective.weight == 0.3
    written = versions.file.read_bytes()
    assert written.startswith("\ufeff".encode()) == text.startswith("\ufeff")
    assert written.count(b"\r\n") == (written.count(b"\n") if "\r" in text else 0)
    versions.undo()
    assert versions.file.read_bytes() == text.encode()


def test_what_a_link_points_to_is_written_with_its_rights(versions: Versions, tmp_path: Path) -> None:
    meant = tmp_path / "elsewhere.toml"
    versions.file.rename(meant)
    meant.chmod(0o664)
    versions.file.symlink_to(meant)
    versions.apply("objective", COST, "dearer")
    assert versions.file.is_symlink()
    assert "quality-at-cost" in meant.read_text()
    assert meant.stat().st_mode & 0o777 == 0o664


def test_a_read_only_file_stays_as_it_is(versions: Versions) -> None:
    versions.file.chmod(0o444)
    with pytest.raises(SettingsError, match="read-only"):
        versions.apply("objective", COST, "dearer")
    assert versions.file.read_text() == TEXT
    assert versions.latest is None


def test_a_change_by_hand_in_between_is_not_lost(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Versions._checked

    def slowly(self: Versions, text: str) -> Settings:
        self.file.write_text(TEXT + "# by hand\n")
        return checked(self, text)

    monkeypatch.setattr(Versions, "_checked", slowly)
    with pytest.raises(SettingsError, match="somebody else"):
        versions.apply("objective", COST, "dearer")
    assert versions.file.read_text() == TEXT + "# by hand\n"
    assert versions.latest is None


def test_what_could_not_be_written_is_no_change(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target) == versions.file:
            raise OSError(28, "No space left on device")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SettingsError, match="No space left"):
        versions.apply("objective", COST, "dearer")
    assert versions.latest is None
    assert versions.file.read_text() == TEXT
