"""A day's budget, kept by what answers really cost, and remembered by the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgewise import Reply, Router, Situation
from edgewise.domain.decisions import Odds
from edgewise.domain.errors import NoEligibleCandidate

TOML = """[budget]
usd_per_day = 0.10
[policy]
kind = "complexity"
[[candidates]]
id = "phi"
location = "edge"
script = { replies = ["From the edge."] }
[[candidates]]
id = "gpt"
location = "cloud"
script = { replies = ["one two three four five six seven eight nine ten"] }
price = { input = 0.0, output = 2000.0 }
"""


class CloudUnlessDear:
    """The cloud, unless something is held against it."""

    name = "cloud unless dear"

    def odds(self, situation: Situation) -> Odds:
        shortlist = situation.shortlist
        cloud = shortlist.at("cloud")
        if cloud is None or shortlist.penalty(cloud) > 1.0:
            return Odds.certain(shortlist.candidates[0], shortlist)
        return Odds.certain(cloud, shortlist)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    file = tmp_path / "edgewise.toml"
    file.write_text(TOML)
    return file


def ask(router: Router, **more: Any) -> Reply:
    """One prompt that costs $0.02 in the cloud: ten words, a token each."""
    return router.ask("Count.", max_tokens=10, **more).reply()


def test_a_budget_runs_low_and_out_and_is_remembered(config: Path) -> None:
    with Router(config, policy=CloudUnlessDear()) as router:
        replies = [ask(router) for _ in range(6)]
        assert [reply.decision.chosen for reply in replies] == ["gpt"] * 5 + ["phi"]
        assert replies[-1].decision.reason == "budget"
        assert sum(r.outcome.cost_usd or 0.0 for r in replies if r.outcome) == pytest.approx(0.10)
        low = [o for o in replies[4].decision.objections if o.rule == "budget"]
        assert [o.penalty for o in low] == [0.2], "from 70 % on it counts against whoever costs money"
        with pytest.raises(NoEligibleCandidate, match=r"\$0\.1 of today's \$0\.1 is spent"):
            ask(router, model="gpt")
    with Router(config, policy=CloudUnlessDear()) as again:
        assert ask(again).decision.chosen == "phi", "a restart gives no money back"


def test_without_a_budget_nothing_of_it_is_said(config: Path) -> None:
    config.write_text(TOML.replace("usd_per_day = 0.10", ""))
    with Router(config, policy=CloudUnlessDear()) as router:
        for _ in range(7):
            reply = ask(router)
            assert reply.decision.chosen == "gpt"
            assert "spent_usd" not in reply.decision.signals
