"""Bundles on their page: promoted, tried, compared and undone, by a gateway that follows them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from tests.dashboard.visiting import act, page
from tests.learning.deployments import HARD, TOML
from tests.learning.synthetic import write_table
from tests.servers import Running, gateway

from edgewise.app import App
from edgewise.app.aiming import Aim
from edgewise.gateway.chat_body import chat_of
from edgewise.learning.deploy import FOLDER, Store
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective
from edgewise.settings import load


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The second bundle, which asks for quality alone, is in charge."""
    home = tmp_path_factory.mktemp("policies")
    read = read_table(write_table(home / "t.csv"))
    store = Store(home / FOLDER)
    for name, weight in (("thrifty", 10.0), ("good", 0.0)):
        options = TrainOptions(Objective("quality-at-cost", weight=weight), learner="ridge")
        learn(read, options).save(home / name)
        store.promote(home / name)
    with gateway(home, TOML.format(explore=0.0)) as running:
        yield running


def test_bundles_are_listed_and_told_whole(site: Running) -> None:
    said = page(site, "/policies")
    for words in ("v1", "v2", "in charge", "kept", "quality-at-cost:10.0", "Promote", "Roll back"):
        assert words in said
    assert "No policy of this gateway follows" not in said
    whole = page(site, "/policies/v1")
    for words in ("160 prompts, 320 rows", "Fingerprint", "calibration_error", "edgewise evaluate"):
        assert words in whole
    both = page(site, "/policies?compare=v1,v2")
    assert "differs" in both, "their objectives do"


def test_promote_and_roll_back(site: Running) -> None:
    store = Store(site.home / FOLDER)
    assert act(site, "/policies/promote", bundle="v1")[0] == 200
    assert store.state().current == "v1"
    assert act(site, "/policies/rollback")[0] == 200
    assert store.state().current == "v2"


def test_a_trial_begins_and_ends(site: Running) -> None:
    store = Store(site.home / FOLDER)
    for mode, share in (("shadow", 0.2), ("canary", 0.1)):
        status, said = act(site, f"/policies/{mode}", bundle="v1")
        assert status == 200
        assert f"v1, {mode} on {share:.1%}".replace("%", " %") in said
        trial = store.state().trial
        assert trial is not None
        assert (trial.version, trial.mode, trial.share) == ("v1", mode, share)
    act(site, "/policies/rollback")
    assert store.state().trial is None
    assert store.state().current == "v2"


@pytest.mark.parametrize("bundle", ["", "v99", "../../etc", "/etc", "deployed.json"])
def test_only_what_the_page_shows_can_be_promoted(site: Running, bundle: str) -> None:
    status, said = act(site, "/policies/promote", bundle=bundle)
    assert status == 409
    assert "no such bundle" in said


def test_another_site_cannot_press_its_buttons(site: Running) -> None:
    body = urlencode({"bundle": "v1"}).encode()
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{site.url}/policies/promote", body, {"origin": "https://evil.example"}))
    assert refused.value.code == 403
    refused.value.close()
    assert Store(site.home / FOLDER).state().current == "v2"


def test_a_setting_of_the_frontier_is_in_force_at_once(site: Running, tmp_path: Path) -> None:
    """What *Apply* does, by the way that it takes, with a bundle that really decides."""

    copytree(site.home / FOLDER, tmp_path / FOLDER)
    file = tmp_path / "edgewise.toml"
    file.write_text(TOML.format(explore=0.0))

    async def live() -> list[str]:
        chosen: list[str] = []
        async with App(load(file)) as app:
            aim = Aim(app, file)

            async def asked() -> None:
                decision = await app.router.decide(chat_of(HARD, {"model": "auto"}, {}), explore=False)
                chosen.append(decision.chosen)

            await asked()
            await aim.apply("quality-at-cost:10.0")
            await asked()
            await aim.undo()
            await asked()
        return chosen

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWISE_HOME", str(tmp_path))
        assert asyncio.run(live()) == ["large", "small", "large"]
