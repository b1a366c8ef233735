"""`[prompts]`: the kinds that are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings import load


def _load(folder: Path, text: str):
    path = folder / "edgewise.toml"
    path.write_text(text)
    return load(path, {}).prompts


def test_kinds_have_a_description_and_a_share(tmp_path: Path) -> None:
    kinds = _load(tmp_path, '[prompts.kinds.recipes]\ndescription = "cooking"\n').kinds
    assert (kinds["recipes"].description, kinds["recipes"].share) == ("cooking", 1.0)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("[prompts.kinds.a]\nshare = 1", "description"),
        ('[prompts.kinds.a]\ndescription = " "', "prompts.kinds.a.description"),
        ('[prompts.kinds.a]\ndescription = "x"\nshare = 0', "prompts.kinds.a.share"),
        ('[prompts.kinds.a]\ndescription = "x"\nshare = inf', "prompts.kinds.a.share"),
        ('[prompts.kinds.""]\ndescription = "x"', "is no name"),
    ],
)
def test_what_cannot_be_made_is_named(tmp_path: Path, said: str, wrong: str) -> None:
    with pytest.raises(SettingsError) as error:
        _load(tmp_path, said)
    assert wrong in str(error.value)
