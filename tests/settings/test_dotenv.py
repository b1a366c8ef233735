from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError
from edgewise.settings import load
from edgewise.settings.environment import parse_env, read_env

LINES = [
    ("A=1", "1"),
    ("export A=1", "1"),
    ("  A = 1  ", "1"),
    ("A=", ""),
    ("A=a b", "a b"),
    ("A=a#b", "a#b"),
    ("A=a #b", "a"),
    ("A= # nothing", ""),
    ("A=#b", "#b"),
    ("A='a # b'", "a # b"),
    ("A='a\\n'", "a\\n"),
    ("A=''", ""),
    ('A="a # b" # c', "a # b"),
    (r'A="x\ny\t\"z\" \$H \\ \q"', 'x\ny\t"z" $H \\ \\q'),
    ("A=$HOME", "$HOME"),
    ("A=a=b==", "a=b=="),
    ("A=it's", "it's"),
    ("A=1\r", "1"),
    ("\ufeffA=1", "1"),
    ("A=1\nA=2", "2"),
    ("# c\n\n   \n  # d\nA=1\n", "1"),
    ("A=ü", "ü"),
]


@pytest.mark.parametrize(("text", "value"), LINES)
def test_a_line(text: str, value: str) -> None:
    assert parse_env(text.encode(), source=".env") == {"A": value}


BAD_LINES = [
    "hunter2",
    "=hunter2",
    "1A=hunter2",
    "A-B=hunter2",
    "A B=hunter2",
    "A='hunter2",
    'A="hunter2',
    "A='hunter2'x",
    'A="hunter2" x',
    "export hunter2",
    "A=hunter2\0",
    'A="hunter2\\"',
]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_named_and_not_repeated(line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_env(f"OK=1\n# fine\n{line}\nOK=2".encode(), source="dir/.env")
    assert str(caught.value) == "dir/.env: line 3 cannot be read; expected NAME=value, and quotes in pairs."


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    with pytest.raises(SettingsError, match=r"^\.env: line 2 is not UTF-8; expected NAME=value in UTF-8\.$"):
        parse_env(b"A=1\nB=\xff", source=".env")


def test_what_is_set_already_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SET=file\nNEW=file")
    environ = {"SET": "shell"}
    read_env(tmp_path / ".env", environ)
    assert environ == {"SET": "shell", "NEW": "file"}


def test_load_reads_it_beside_the_file_and_not_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / ".env").write_text("HERE=1")
    (tmp_path / "there" / ".env").write_text("THERE=1")
    (tmp_path / "there" / "mine.toml").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    environ: dict[str, str] = {}
    load(Path("../there/mine.toml"), environ)
    assert environ == {"THERE": "1"}
    environ.clear()
    load(environ=environ)
    assert environ == {"HERE": "1"}


def test_it_goes_into_the_process_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEWISE_TEST_VALUE", "")  # so that it is taken away again afterwards
    monkeypatch.delenv("EDGEWISE_TEST_VALUE")
    (tmp_path / ".env").write_text("EDGEWISE_TEST_VALUE=from-file")
    load()
    assert os.environ["EDGEWISE_TEST_VALUE"] == "from-file"


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"\.env: cannot be read \(.*\); mend or remove it\.$"):
        read_env(tmp_path / ".env", {})


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0'"), max_size=40))
def test_single_quotes_keep_everything(value: str) -> None:
    assert parse_env(f"A='{value}'".encode(), source=".env") == {"A": value}


@given(st.binary(max_size=80))
@settings(deadline=None)
def test_any_bytes_give_assignments_or_one_sentence(raw: bytes) -> None:
    try:
        found = parse_env(raw, source=".env")
    except SettingsError as error:
        assert str(error).startswith(".env: line ")
    else:
        assert all(name.isidentifier() and "\0" not in value for name, value in found.items())
