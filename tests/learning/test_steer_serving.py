"""A gateway keeps to its share of the cloud while the prompts drift, and goes on with it after a restart."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.learning.synthetic import prompts, write_table

from edgewise.app import App, decider
from edgewise.domain.decisions import Decision
from edgewise.domain.errors import BundleError
from edgewise.domain.protocols import Policy
from edgewise.features.described import describer
from edgewise.gateway.chat_body import chat_of
from edgewise.learning.deploy import FOLDER, Store
from edgewise.learning.steer import Tracker
from edgewise.learning.tables import read_table
from edgewise.learning.train import Target, TrainOptions, learn
from edgewise.policies import settled
from edgewise.policies.affinity import Affinity
from edgewise.policies.bundles import Bundle, Learned
from edgewise.policies.objectives import Objective
from edgewise.policies.steering import BONUS, GAIN, GOAL, LEVEL
from edgewise.settings import Settings, load

TOML = """
[policy]
kind = "bundle"
bundle = "{bundle}"
explore = {explore}
{more}
[[candidates]]
id = "small"
location = "edge"
script = {{ replies = ["short"] }}
[[candidates]]
id = "large"
location = "cloud"
price = {{ input = 150.0, output = 150.0 }}
script = {{ replies = ["long"] }}
"""
SHARE = 0.3


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A bundle that was trained to keep a share, and one that was not."""
    here = tmp_path_factory.mktemp("trained")
    table = read_table(write_table(here / "t.csv"))
    found = {}
    for name, target in (("plain", Target()), ("kept", Target(cloud_share=SHARE))):
        options = TrainOptions(Objective("quality-at-cost"), learner="ridge", target=target)
        learn(table, options).save(here / name)
        found[name] = here / name
    return found


@pytest.fixture
def settings_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def made(bundle: Path | str, more: str = "", explore: float = 0.0) -> Settings:
        path = tmp_path / "edgewise.toml"
        path.write_text(TOML.format(bundle=bundle, more=more, explore=explore))
        return load(path)

    return made


def drifting(count: int, seed: int = 3) -> list[str]:
    """Ever more hard prompts: one in two at first, all of them at the end."""
    dice = Random(seed)
    made = prompts(4 * count, seed)
    hard, easy = ([p for p, is_hard in made if is_hard is side] for side in (True, False))
    return [(hard if dice.random() < 0.5 + 0.5 * n / count else easy)[n] for n in range(count)]


def serve(settings: Settings, texts: list[str], **wishes: str) -> list[Decision]:
    async def main() -> list[Decision]:
        async with App(settings) as app:
            return [(await app.router.route(chat_of(text, {}, wishes))).decision for text in texts]

    return asyncio.run(main())


def cloud_share(decisions: list[Decision]) -> float:
    return float(np.mean([d.location == "cloud" for d in decisions]))


@pytest.mark.parametrize(("name", "more"), [("kept", ""), ("plain", f"[objective]\ncloud_share = {SHARE}")])
def test_the_share_is_kept_where_the_trained_threshold_misses_it(
    settings_for, trained: dict[str, Path], name: str, more: str
) -> None:
    texts = drifting(1000)
    decisions = serve(settings_for(trained[name], more, explore=0.02), texts)
    assert abs(cloud_share(decisions) - SHARE) < 0.03
    assert abs(cloud_share(decisions[500:]) - SHARE) < 0.06
    bundle = Bundle.load(trained["kept"])
    chosen = bundle.forecast(describer("static")(texts)).choice
    assert abs((chosen == bundle.candidates.index("large")).mean() - SHARE) > 0.1
    assert {d.evidence[GOAL] for d in decisions} == {SHARE}
    assert len({d.evidence[BONUS] for d in decisions}) > 50


def test_a_budget_is_kept_in_what_was_billed(settings_for, trained: dict[str, Path]) -> None:
    texts = drifting(1000)

    async def spent(more: str) -> float:
        async with App(settings_for(trained["plain"], more)) as app:
            for text in texts:
                await app.router.route(chat_of(text))
            costs = [s.outcome.cost_usd or 0.0 for s in app.reader.latest(len(texts)) if s.outcome]
            return 1000.0 * sum(costs) / len(costs)

    everything = asyncio.run(spent(""))
    budget = everything / 4
    assert asyncio.run(spent(f"[objective]\nusd_per_1k = {budget!r}")) == pytest.approx(budget, rel=0.1)


def tracker_of(app: App) -> Tracker:
    return app.steering._trackers["auto", False][1]


def steered(policy: Policy) -> Learned:
    found = settled(policy)
    if isinstance(found, Affinity):
        found = found.inner
    assert isinstance(found, Learned)
    return found


def test_a_new_process_goes_on_where_the_one_before_ended(settings_for, trained: dict[str, Path]) -> None:
    settings = settings_for(trained["kept"])
    texts = drifting(400)

    async def first() -> Tracker:
        async with App(settings) as app:
            for text in texts:
                await app.router.route(chat_of(text))
            return tracker_of(app)

    async def second() -> Tracker:
        async with App(settings) as app:
            assert steered(app.router.policies["auto"]).steer == tracker_of(app).steer
            return tracker_of(app)

    before, after = asyncio.run(first()), asyncio.run(second())
    assert after.level == pytest.approx(before.level)
    assert after.steer.bonus == pytest.approx(before.steer.bonus)
    assert before.level != pytest.approx(SHARE, abs=0.005)


def test_another_goal_begins_anew(settings_for, trained: dict[str, Path]) -> None:
    serve(settings_for(trained["kept"]), drifting(100))

    async def level() -> float:
        async with App(settings_for(trained["kept"], "[objective]\ncloud_share = 0.6")) as app:
            return tracker_of(app).level

    assert asyncio.run(level()) == 0.6


def test_what_leaves_no_choice_does_not_count(settings_for, trained: dict[str, Path]) -> None:
    settings = settings_for(trained["kept"])
    text = drifting(1)[0]

    async def main() -> None:
        async with App(settings) as app:
            before = tracker_of(app).level
            for options, wishes in (
                ({"model": "large"}, {}),
                ({}, {"privacy": "local"}),
                ({}, {"objective": "quality-at-cost:0.1"}),
                ({}, {"candidates": "small"}),
                ({"model": "auto:random"}, {}),
            ):
                decision = (await app.router.route(chat_of(text, options, wishes))).decision
                assert GAIN not in decision.evidence
            await app.log.append(await app.router.decide(chat_of(text)))  # only asked about
            assert tracker_of(app).level == before
            decision = (await app.router.route(chat_of(text))).decision
            assert decision.evidence[LEVEL] == pytest.approx(before)
            assert tracker_of(app).level != before

    asyncio.run(main())


def test_both_sides_of_a_canary_have_thresholds_of_their_own(
    settings_for, trained: dict[str, Path], tmp_path: Path
) -> None:
    settings = settings_for("deployed", f"[objective]\ncloud_share = {SHARE}")
    store = Store(tmp_path / FOLDER)

    async def main() -> list[Decision]:
        async with App(settings) as app:
            store.promote(trained["plain"])
            await app.watchers["auto"].look()
            for text in drifting(40):
                await app.router.route(chat_of(text))
            kept = tracker_of(app)
            store.attempt(trained["kept"], "canary", 0.5)
            await app.watchers["auto"].look()
            assert tracker_of(app) is kept  # who stays in charge stays on course
            found = [(await app.router.route(chat_of(text))).decision for text in drifting(600)]
            assert set(app.steering._trackers) == {("auto", False), ("auto", True)}
            return found

    decisions = asyncio.run(main())
    for side in (0.0, 1.0):
        mine = [d for d in decisions if d.evidence["canary"] == side]
        assert len(mine) > 200
        assert abs(cloud_share(mine) - SHARE) < 0.08


def test_commands_without_a_gateway_begin_with_the_training_prompts(
    settings_for, trained: dict[str, Path]
) -> None:
    async def bonus(name: str, more: str) -> float:
        router = decider(settings_for(trained[name], more))
        return (await router.decide(chat_of(drifting(1)[0]), explore=False)).evidence[BONUS]

    configured = asyncio.run(bonus("plain", f"[objective]\ncloud_share = {SHARE}"))
    own = asyncio.run(bonus("kept", ""))
    assert configured == own
    offsets = Bundle.load(trained["kept"]).offsets
    assert own == pytest.approx(float(offsets.max() + offsets.min()), abs=0.05)


def test_a_configured_objective_is_gone_by(settings_for, trained: dict[str, Path]) -> None:
    hard = next(text for text, is_hard in prompts(20, seed=5) if is_hard)
    assert serve(settings_for(trained["plain"]), [hard])[0].chosen == "large"
    (decision,) = serve(settings_for(trained["plain"], '[objective]\nname = "qos"'), [hard])
    assert decision.chosen == "small"
    assert decision.policy.endswith("/qos")
    (asked,) = serve(
        settings_for(trained["plain"], '[objective]\nname = "qos"'), [hard], objective="quality-at-cost"
    )
    assert (asked.chosen, asked.objective) == ("large", "quality-at-cost")


def test_an_objective_that_the_bundle_cannot_judge_is_refused_at_the_start(
    settings_for, trained: dict[str, Path]
) -> None:
    with pytest.raises(BundleError, match="needs forecasts of reward; this bundle learned"):
        decider(settings_for(trained["plain"], '[objective]\nname = "reward"'))


def test_who_serves_a_bundle_keeps_linear_algebra_to_one_thread(trained: dict[str, Path]) -> None:
    """In a process of its own: the limit holds until the process ends."""
    code = (
        "import sys, threadpoolctl, numpy, pathlib\n"
        "from edgewise.learning.deploy import learned\n"
        "def threads(): return {i['num_threads'] for i in threadpoolctl.threadpool_info()"
        " if i['user_api'] == 'blas'}\n"
        "before = threads()\n"
        "learned(pathlib.Path(sys.argv[1]))\n"
        "print(sorted(before), sorted(threads()))\n"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    environment.pop("OMP_NUM_THREADS", None)
    command = [sys.executable, "-c", code, str(trained["plain"])]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    assert ran.stdout.split("\n")[0].endswith("[1]")
    assert os.cpu_count() == 1 or ran.stdout.startswith("[2]")
