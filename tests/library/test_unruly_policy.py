"""A policy of somebody's own that chooses whom the rules have shut out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgewise import Router, Situation
from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Odds
from edgewise.domain.errors import EdgewiseError
from edgewise.domain.requests import Features
from edgewise.policies import Uniform
from edgewise.policies.shadow import Shadowed

CANDIDATES = [
    {"id": "here", "location": "edge", "script": {"replies": ["e"]}},
    {"id": "far", "location": "cloud", "script": {"replies": ["c"]}},
]


class Unruly:
    """Always the same, whoever is on the shortlist."""

    name = "unruly"

    def __init__(self, choice: str) -> None:
        self.choice = choice

    def odds(self, situation: Situation) -> Odds:
        del situation
        return Odds({self.choice: 1.0})


@pytest.mark.parametrize("wish", [{"model": "here"}, {"candidates": ["here"]}, {"local": True}])
@pytest.mark.parametrize("choice", ["far", "nobody"])
def test_no_policy_chooses_whom_a_rule_shuts_out(
    wish: dict[str, Any], choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    with Router(CANDIDATES, policy=Unruly(choice)) as router:
        with pytest.raises(EdgewiseError, match=f"'unruly' chose '{choice}', who may not answer"):
            router.ask("hi", **wish).reply()
        if choice == "far":
            assert router.ask("hi").reply().decision.chosen == "far"


def test_nor_is_such_a_shadow_asked() -> None:
    shortlist = Shortlist((Candidate("here", "edge", "device"),))
    odds = Shadowed(Uniform(), Unruly("far"), ask=True).odds(Situation(Features({}), shortlist))
    assert odds.by_id == {"here": 1.0}
    assert odds.shadow is not None
    assert (odds.shadow.chosen, odds.shadow.ask) == (None, False)
    assert odds.shadow.error == "it chose 'far', who may not answer"
