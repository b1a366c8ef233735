"""A policy of somebody else's, by its entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from edgewise.domain.decisions import Odds
from edgewise.domain.errors import SettingsError
from edgewise.domain.requests import Situation
from edgewise.policies import make
from edgewise.settings import plugins
from edgewise.settings.load import from_tree


class Last:
    """The last one on the list."""

    name = "last"

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience

    def odds(self, situation: Situation) -> Odds:
        return Odds.certain(situation.shortlist.candidates[-1], situation.shortlist)


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("last", "somewhere:Last", "edgewise.policies")

    def load(_: EntryPoint) -> type[Last]:
        return Last

    monkeypatch.setattr(EntryPoint, "load", load)

    def found(group: str, name: str = point.name) -> list[EntryPoint]:
        return [point] if (group, name) == (point.group, point.name) else []

    monkeypatch.setattr(plugins, "entry_points", found)


def test_a_kind_of_somebody_else_is_made_with_its_options() -> None:
    policy = make("last", options={"patience": 3})
    assert isinstance(policy, Last)
    assert policy.patience == 3


def test_the_configuration_may_name_it() -> None:
    assert from_tree({"policy": {"kind": "last"}}, source="x").policy.kind == "last"


def test_a_kind_that_nobody_offers_is_still_an_error() -> None:
    with pytest.raises(SettingsError, match="lost"):
        make("lost")
    with pytest.raises(SettingsError, match=r"policy\.kind"):
        from_tree({"policy": {"kind": "lost"}}, source="x")


def test_options_that_it_does_not_take_are_one_sentence() -> None:
    with pytest.raises(SettingsError, match="does not take these options"):
        make("last", options={"colour": "red"})
