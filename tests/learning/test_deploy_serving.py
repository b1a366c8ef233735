"""From a table to a bundle on trial, in charge, undone, and replayed on the log that this left."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.cli.stored import edgewise
from tests.learning.deployments import HARD, TOML
from tests.learning.synthetic import prompts

from edgewise.app import App, decider
from edgewise.domain.decisions import Decision, Feedback
from edgewise.domain.ids import mint
from edgewise.gateway.chat_body import chat_of
from edgewise.learning.deploy import Store
from edgewise.learning.replay import Asked, replay
from edgewise.learning.replay.bundles import BundleWishes
from edgewise.policies.bundles import Bundle
from edgewise.policies.canary import ARM
from edgewise.settings import Settings, load


def test_a_gateway_follows_every_step_and_loses_no_request(
    settings: Settings, store: Store, folder: Path
) -> None:
    async def main() -> None:
        async with App(settings) as app:
            watcher = app.watchers["auto"]

            async def asked(session: str | None = None) -> Decision:
                answer = await app.router.route(chat_of(HARD, {}, {"session": session} if session else {}))
                return answer.decision

            assert (await asked()).policy == "complexity"
            store.attempt(folder, "shadow", 1.0)
            assert await watcher.look()
            seen = await asked()
            assert (seen.chosen, seen.odds) == ("small", {"small": 1.0, "large": 0.0})
            assert seen.shadow is not None
            assert seen.shadow.chosen == "large"

            store.attempt(folder, "canary", 0.5)
            assert await watcher.look()
            for number in range(20):
                first, second = await asked(f"s{number}"), await asked(f"s{number}")
                assert first.evidence[ARM] == second.evidence[ARM]
                assert first.chosen == ("large" if first.evidence[ARM] else "small")
                assert first.propensity == 0.5

            store.promote(folder)
            many = [asyncio.create_task(asked()) for _ in range(50)]
            assert await watcher.look()
            many += [asyncio.create_task(asked()) for _ in range(50)]
            decisions = await asyncio.gather(*many)
            assert len(decisions) == 100
            assert {d.policy.split(":")[0] for d in decisions[50:]} == {"bundle"}
            assert {d.chosen for d in decisions[50:]} == {"large"}
            assert decisions[-1].forecasts["large"].quality is not None

            store.rollback()
            assert await watcher.look()
            assert (await asked()).policy == "complexity"

    asyncio.run(main())


def test_commands_without_a_gateway_follow_too(settings: Settings, store: Store, folder: Path) -> None:
    async def chosen() -> str:
        return (await decider(settings).decide(chat_of(HARD, {}), explore=False)).chosen

    assert asyncio.run(chosen()) == "small"
    store.promote(folder)
    assert asyncio.run(chosen()) == "large"


@pytest.fixture
def logged(settings: Settings, tmp_path: Path) -> Path:
    """A log of 600 rated requests under the rule of thumb, two fifths of which explore."""
    path = tmp_path / "exploring.toml"
    path.write_text(TOML.format(explore=0.4))
    dice = Random(1)

    async def main() -> None:
        async with App(load(path)) as app:
            for prompt, hard in prompts(600, seed=7):
                decision = (await app.router.route(chat_of(prompt, {}))).decision
                right = dice.random() < (0.9 if decision.chosen == "large" or not hard else 0.1)
                said = Feedback(id=mint(), decision_id=decision.id, at=decision.at, quality=float(right))
                await app.log.append(said)

    asyncio.run(main())
    return path


def test_what_a_bundle_would_have_earned_is_read_from_the_log(
    logged: Path,
    settings: Settings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edgewise(monkeypatch, "replay", str(folder), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refusal"] is None
    assert found["verdict"] == "better"
    quality = found["measures"]["quality"]
    for name, error in (("ips", 0.06), ("snips", 0.05), ("doubly_robust", 0.03)):  # ids are never the same
        assert quality[name]["mean"] == pytest.approx(0.9, abs=5 * error)
    assert quality["logged"]["mean"] < 0.7
    narrow, wide = (quality[n]["high"] - quality[n]["low"] for n in ("doubly_robust", "ips"))
    assert narrow < wide
    assert edgewise(monkeypatch, "replay", str(folder)) == 0
    shown = capsys.readouterr().out
    assert "doubly robust" in shown
    assert "is better than what was logged" in shown
    assert all(name in shown for name in measures_of(found))
    assert "…" not in shown


def measures_of(found: dict[str, dict[str, object]]) -> list[str]:
    """The measures that the report has."""
    return list(found["measures"])


def test_a_bundle_knows_what_it_was_trained_on(folder: Path) -> None:
    seen = BundleWishes(Bundle.load(folder)).seen()
    assert all(seen(f"  {prompt} ") for prompt, _ in prompts(160))
    assert not any(seen(prompt) for prompt, _ in prompts(160, seed=7))


def test_strangers_to_the_bundle_are_not_chosen_where_it_knows_another(folder: Path) -> None:
    wishes = BundleWishes(Bundle.load(folder))
    offered = np.array([[True, True, True], [True, False, False], [True, True, False]])
    odds = wishes([Asked("", HARD)] * 3, ("stranger", "small", "large"), offered).odds
    assert odds.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert replay([], wishes, wishes.bundle.objective).refusal is not None


def test_the_command_line_deploys_tries_and_undoes(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ran(*words: str) -> str:
        assert edgewise(monkeypatch, "deploy", *words) == 0
        return capsys.readouterr().out

    assert "no bundle" in ran("--status")
    assert "v1" in ran(str(folder), "--canary", "0.1")
    assert "canary on 10%" in ran("--status")
    assert json.loads(ran("--status", "--json"))["state"]["trial"]["version"] == "v1"
    assert "is in charge" in ran(str(folder))
    assert json.loads(ran("--rollback", "--json"))["mode"] == "rollback"
    assert "No bundle" not in ran("--status")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give one of"),
        (("x", "--status"), "Give one of"),
        (("--rollback", "--canary", "0.1"), "give its folder"),
        (("x", "--shadow", "0.1", "--canary", "0.1"), "not both"),
        (("x", "--canary", "0"), "share"),
        (("x",), "is no bundle"),
        (("--rollback",), "nothing to roll back"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    assert edgewise(monkeypatch, "deploy", *words) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("edgewise: ")
    assert complaint.count("\n") == 1
    assert said in complaint
