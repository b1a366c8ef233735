"""`edgewise deploy` as a person uses it: a shadow that asks, a canary, a promotion, a way back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import typer
from msgspec.structs import replace
from tests.cli.stored import edgewise, fill
from tests.learning.deployments import HARD, TOML
from tests.learning.synthetic import prompts
from tests.learning.test_deploy_compare import sides
from tests.outcomes import sample

from edgewise.app import App
from edgewise.cli import doctor
from edgewise.domain.decisions import Decision, Feedback, Record
from edgewise.domain.ids import shadow_id
from edgewise.gateway.chat_body import chat_of
from edgewise.gateway.pages import Pages
from edgewise.learning.deploy import Store
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.outcomes import LogReader
from edgewise.policies.canary import ARM
from edgewise.policies.objectives import Objective
from edgewise.settings import Settings

Ran = Callable[..., str]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    def ran(*words: str) -> str:
        assert edgewise(monkeypatch, "deploy", *words) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return ran


def test_a_shadow_that_asks_gives_both_answers_to_learn_from(
    settings: Settings, folder: Path, ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is asked, too" in ran(str(folder), "--shadow", "1", "--ask")

    async def main() -> Decision:
        async with App(settings) as app:
            for number, (prompt, _) in enumerate(prompts(60, seed=3)):
                await app.router.route(chat_of(prompt, {}, {"privacy": "local"} if number % 10 == 9 else {}))
            assert app.router.shadows is not None
            await app.router.shadows.drain()
            decision = (await app.router.route(chat_of(HARD, {}))).decision
            await app.router.shadows.drain()
            for story in app.reader.stories():  # a judge rates whoever answered
                right = float(story.decision.chosen == "large" or " " not in (story.decision.prompt or " "))
                said = Feedback(id=f"fb{story.seq}", decision_id=story.decision.id, at=0.0, quality=right)
                await app.log.append(said)
            return decision

    decision = asyncio.run(main())
    assert (decision.chosen, decision.policy.split("(")[0]) == ("small", "shadow")
    log = LogReader(tmp_path / "edgewise.sqlite")
    beside = log.decision(shadow_id(decision.id))
    assert beside is not None
    assert beside.outcome is not None
    assert (beside.decision.chosen, beside.outcome.response) == ("large", "long")
    assert all(s.decision.privacy is None for s in log.stories() if s.decision.shadow_of is not None)

    shown = json.loads(ran("--status", "--json"))["report"]
    asked = shown["asked"]
    assert asked["wanted"] == asked["answered"] == sum(s.shadow is not None for s in log.stories()) > 20
    assert asked["cost_usd"] > 0.0
    assert asked["measures"]["quality"]["verdict"] == "better"
    assert "to be asked, too" in ran("--status")

    assert edgewise(monkeypatch, "log", "export", "-o", "both.csv") == 0
    table = read_table(tmp_path / "both.csv")
    assert table.candidates == ("large", "small")
    assert (table.repeats > 0).all(axis=1).sum() == asked["answered"]
    learned = learn(table, TrainOptions(Objective("quality-at-cost"), learner="ridge")).bundle
    assert learned.candidates == ("large", "small")


def test_a_canary_is_promoted_and_undone(settings: Settings, folder: Path, ran: Ran, tmp_path: Path) -> None:
    ran(str(folder), "--canary", "0.5")
    records: list[Record] = []
    for told in sides(0, quality=(0.2, 0.9)):
        arm = told.decision.evidence[ARM]
        broken = arm == 0.0 and told.decision.session in ("s0", "s2", "s4")
        ended = sample.outcome(told.decision, status="error") if broken else told.outcome
        assert ended is not None
        records += [replace(told.decision, at=4e9), ended, *told.feedback]
    fill(tmp_path / "edgewise.sqlite", *records)
    measures = json.loads(ran("--status", "--json"))["report"]["measures"]
    assert {name: m["verdict"] for name, m in measures.items()} == {
        "quality": "better", "latency_s": "worse", "cost_usd": "better", "errors": "no different",
    }  # fmt: skip
    assert measures["errors"]["incumbent"]["mean"] == pytest.approx(0.06)
    assert "150 decisions by the canary, 150 by the incumbent" in ran("--status")

    assert "v1 (bundle" in ran(str(folder))
    assert "In charge: v1 (bundle" in ran("--status")
    assert "On trial" not in ran("--status")
    ran(str(folder / ".." / "bundle"))  # the same again is no second version
    assert ran("--rollback") == "v1 has been undone: no bundle is in charge, the complexity rule decides.\n"
    steps = [e["mode"] for e in json.loads(ran("--status", "--json"))["state"]["history"]]
    assert steps == ["canary", "full", "full", "rollback"]


def test_the_end_of_a_trial_says_who_goes_on(settings: Settings, folder: Path, ran: Ran) -> None:
    ran(str(folder), "--shadow", "0.5")
    assert ran("--rollback").startswith("The shadow of v1 has ended: no bundle is in charge")


def test_what_is_torn_is_visible_wherever_one_looks(
    settings: Settings,
    store: Store,
    folder: Path,
    ran: Ran,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def ready(app: App) -> dict[str, object]:
        pages = Pages(
            router=app.router, log=app.log, reader=app.reader, server=settings.server, embeddings={},
            ready=lambda: None, warnings=app.warnings,
        )  # fmt: skip
        sent: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async def receive() -> MutableMapping[str, Any]:
            return {}

        await pages.readyz({}, receive, send)
        assert sent[0]["status"] == 200
        body = sent[1]["body"]
        assert isinstance(body, bytes)
        found: dict[str, object] = json.loads(body)
        return found

    async def main() -> None:
        async with App(settings) as app:
            store.promote(folder)
            await app.watchers["auto"].look()
            assert await ready(app) == {"status": "ready"}
            manifest = store.folder("v1") / "policy.json"
            manifest.write_bytes(manifest.read_bytes()[:100])
            store.path.touch()
            assert not await app.watchers["auto"].look()
            said = str((await ready(app))["warnings"])
            assert "policy.json" in said
            assert "stays as it was" in said
            assert (await app.router.route(chat_of(HARD, {}))).decision.chosen == "large"  # the last good one

    asyncio.run(main())
    assert "This cannot be served" in ran("--status")
    assert "policy.json" in json.loads(ran("--status", "--json"))["problem"]
    with pytest.raises(typer.Exit) as ended:
        doctor.command(config=tmp_path / "edgewise.toml", as_json=True)
    assert ended.value.exit_code == 1
    (check,) = (c for c in json.loads(capsys.readouterr().out)["checks"] if c["name"] == "policy")
    assert check["state"] == "fail"
    assert "--rollback" in check["mend"]
    store.rollback()
    assert json.loads(ran("--status", "--json"))["problem"] is None


def test_a_deployment_that_nobody_follows_is_said(
    settings: Settings,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = tmp_path / "plain.toml"
    plain.write_text(
        TOML.format(explore=0.0).replace('"bundle"', '"complexity"').replace('bundle = "deployed"', "")
    )
    assert edgewise(monkeypatch, "deploy", str(folder), "--config", str(plain)) == 0
    assert 'bundle = "deployed"' in capsys.readouterr().err


@pytest.mark.parametrize("words", [("x", "--ask"), ("x", "--canary", "0.1", "--ask"), ("--status", "--ask")])
def test_only_a_shadow_can_be_told_to_ask(
    settings: Settings,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edgewise(monkeypatch, "deploy", *words) == 2
    assert "--ask belongs to --shadow" in capsys.readouterr().err
