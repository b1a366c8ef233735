"""The page about the adapters says what the tests prove."""

from __future__ import annotations

from tests.integrations.environments import ADAPTERS, ROOT
from tests.integrations.feature_table import proven, written
from tests.integrations.features import FEATURES
from tests.integrations.page import PAGE, SAID, programs

TEXT = PAGE.read_text()


def test_the_table_is_todays() -> None:
    assert written(TEXT) == TEXT, "run: python -m tests.integrations.feature_table"


def test_every_feature_is_somewhere() -> None:
    assert set().union(*(proven(adapter.tests) for adapter in ADAPTERS)) == set(FEATURES)


def test_no_program_is_left_out() -> None:
    assert {title: len(found) for title, found in programs().items()} == {
        title: len(said) for title, said in SAID.items()
    }


def test_every_adapter_has_its_folders_and_its_extra() -> None:
    for adapter in ADAPTERS:
        assert (ROOT / "src/edgewise/integrations" / adapter.name / "__init__.py").exists()
        assert list(adapter.tests.glob("test_*.py"))
        assert f"`{adapter.extra}`" in TEXT
        assert adapter.packages()
