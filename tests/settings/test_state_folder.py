from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings import home

LINUX = pytest.mark.skipif("sys.platform != 'linux'", reason="the place differs by platform")


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home({"EDGEWISE_HOME": str(tmp_path)}) == tmp_path
    monkeypatch.chdir(tmp_path)
    assert home({"EDGEWISE_HOME": "state"}) == tmp_path / "state"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home({"EDGEWISE_HOME": "~/e"}) == tmp_path / "e"
    assert not (tmp_path / "state").exists()


@LINUX
def test_the_platform_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".local" / "share" / "edgewise"
    assert home({"XDG_DATA_HOME": "/data"}) == Path("/data/edgewise")
    assert home({"XDG_DATA_HOME": "relative"}) == home({"EDGEWISE_HOME": ""}) == home({}) == usual


@LINUX
def test_an_account_without_a_home_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", classmethod(lambda _: (_ for _ in ()).throw(RuntimeError)))
    with pytest.raises(SettingsError, match="set EDGEWISE_HOME to a folder"):
        home({})
