"""What a replayed policy reads: logged features of conversations, or texts; whose criticality counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace
from tests.cli.stored import edgewise
from tests.learning.deployments import TOML
from tests.learning.synthetic import prompts
from tests.learning.test_replay_report import always, story

from edgewise.app import App
from edgewise.domain.decisions import Feedback
from edgewise.domain.ids import mint
from edgewise.domain.requests import Request
from edgewise.domain.stories import Story
from edgewise.gateway.chat_body import parse_chat
from edgewise.learning.replay import Asked, Replayed, Wishes, replay
from edgewise.learning.replay.bundles import BundleWishes
from edgewise.outcomes import LogReader
from edgewise.policies.bundles import Bundle
from edgewise.policies.objectives import Objective
from edgewise.settings import Settings, load

STORE = '\n[store]\nvectors = true\nprompts = "{prompts}"\n'


def conversation(prompt: str) -> Request:
    """The question is in the context; the last message alone says nothing."""
    words = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": f"You ask: {prompt}"},
        {"role": "user", "content": prompt + " please"},
    ]
    return parse_chat(json.dumps({"messages": words}).encode(), {})


def logged(folder: Path, how: str, count: int = 400) -> Path:
    """A log of rated conversations under the rule of thumb, half of which explore."""
    path = folder / "vectors.toml"
    plain = TOML.format(explore=0.5).replace('kind = "bundle"\nbundle = "deployed"', 'kind = "complexity"')
    path.write_text(plain + STORE.format(prompts=how))
    dice = Random(1)

    async def main() -> None:
        async with App(load(path)) as app:
            for prompt, hard in prompts(count, seed=7):
                decision = (await app.router.route(conversation(prompt))).decision
                right = dice.random() < (0.9 if decision.chosen == "large" or not hard else 0.1)
                said = Feedback(id=mint(), decision_id=decision.id, at=decision.at, quality=float(right))
                await app.log.append(said)

    asyncio.run(main())
    return path


@pytest.mark.parametrize("how", ["full", "none"])
def test_a_bundle_reads_the_logged_features_of_the_whole_conversation(
    how: str,
    settings: Settings,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = logged(tmp_path, how)
    told = list(LogReader(tmp_path / "edgewise.sqlite").stories())
    assert all(s.decision.vector and (s.decision.prompt is None) == (how == "none") for s in told)
    assert edgewise(monkeypatch, "replay", str(folder), "--config", str(path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refusal"] is None
    assert found["verdict"] == "better"
    read = found["notes"][0]
    assert "the logged features of the whole conversation for 400 of the decisions" in read
    assert ("nobody knows" in read) == (how == "none")


def test_without_texts_and_vectors_there_is_nothing_to_read(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    logged(tmp_path, "none", 5)
    wishes = BundleWishes(Bundle.load(folder))
    told = list(LogReader(tmp_path / "edgewise.sqlite").stories())
    bare = [replace(s, decision=replace(s.decision, vector=None)) for s in told]
    other = [replace(s, decision=replace(s.decision, vector_version="minilm-1")) for s in told]
    for stories in (bare, other):
        found = replay(stories, wishes, wishes.bundle.objective, reads=wishes.reads)
        assert found.left_out == {"neither the prompt's text nor its features were kept": 5}


def test_some_with_features_and_some_with_texts_stay_in_their_rows(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    logged(tmp_path, "full", 40)
    wishes = BundleWishes(Bundle.load(folder))
    told = [s.decision for s in LogReader(tmp_path / "edgewise.sqlite").stories()]
    asked = [Asked("", d.prompt, d.vector if n % 3 else None, d.vector_version) for n, d in enumerate(told)]
    offered = np.ones((len(asked), 2), np.bool_)
    mixed = wishes(asked, ("small", "large"), offered)
    assert mixed.from_log == sum(n % 3 > 0 for n in range(40))
    for row, one in enumerate(asked):
        alone = wishes([one], ("small", "large"), offered[:1])
        assert np.array_equal(mixed.odds[row], alone.odds[0])
        assert mixed.forecasts["utility"][row] == pytest.approx(alone.forecasts["utility"][0], abs=1e-5)


def test_the_log_says_in_json_that_features_are_there_and_not_what_they_are(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = logged(tmp_path, "full", 1)
    assert edgewise(monkeypatch, "explain", "last", "--json", "--config", str(path)) == 0
    told = json.loads(capsys.readouterr().out)
    assert "vector" not in told
    assert told["vector_version"].startswith("static")


def qos(evidence: dict[str, float], *, foreseen: float | None = None) -> Replayed:
    odds = {"edge": 0.5, "cloud": 0.5}
    stories: list[Story] = []
    for number in range(300):
        told = story(number, odds, quality=1.0)
        stories.append(replace(told, decision=replace(told.decision, evidence=evidence)))

    def wishes(asked: Sequence[Asked], candidates: Sequence[str], offered: np.ndarray) -> Wishes:
        found: Wishes = always("cloud")(asked, candidates, offered)
        said = None if foreseen is None else np.full((len(asked), 2), foreseen)
        return Wishes(found.odds, {}, said)

    return replay(stories, wishes, Objective("qos"))


def test_logged_criticality_counts_before_the_forecast_and_that_before_five() -> None:
    """All qualities are 1 and the cloud takes 2 s: utility is 1 + M/10 + (1 + T/10) / 2."""
    logged_of = {"mission_criticality": 10.0, "time_criticality": 0.0}
    for evidence, foreseen, utility, said in (
        ({}, None, 2.25, "Criticalities: 5; the log records none."),
        ({}, 8.0, 2.7, "Criticalities: what the bundle forecasts; the log records none."),
        (logged_of, 8.0, 2.5, "Criticalities: as logged for 300 decisions."),
        ({"mission_criticality": 10.0}, None, 2.75, "Criticalities: as logged for 300 decisions."),
    ):
        found = qos(evidence, foreseen=foreseen)
        assert found.measures["utility"].snips.mean == pytest.approx(utility)
        assert said in found.notes
    assert "the text of the last message alone for 300" in qos({}).notes[0]
