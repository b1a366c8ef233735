"""The fault matrix, host: a policy bundle that arrives damaged. Each test names its row."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.learning.deployments import HARD, TOML
from tests.learning.synthetic import write_table
from tests.servers import Running, gateway

from edgewise.learning.deploy import FOLDER, Store
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two bundles that differ."""
    here = tmp_path_factory.mktemp("trained")
    table = read_table(write_table(here / "t.csv"))
    for name, weight in (("one", 0.1), ("two", 0.2)):
        objective = Objective("quality-at-cost", weight=weight)
        learn(table, TrainOptions(objective, learner="ridge")).save(here / name)
    return here / "one", here / "two"


def torn(array: Path) -> None:
    array.write_bytes(array.read_bytes()[: array.stat().st_size // 2])


def of_a_wrong_hash(array: Path) -> None:
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)


def policy(running: Running) -> str:
    """Who decides, by the record of one answer."""
    status, answer = running.post("/v1/chat/completions", {"messages": [{"role": "user", "content": HARD}]})
    assert status == 200, answer
    decided: str = running.get("/v1/decisions?limit=1")[1]["data"][0]["policy"]
    return decided


def deployed(source: Path, home: Path, spoil: Callable[[Path], None] | None = None) -> None:
    """Put what is deployed in `source` before the gateway, as a copy that went wrong would."""
    for version in source.glob("v*"):
        shutil.copytree(version, home / version.name, dirs_exist_ok=True)
    if spoil is not None:
        array = min((home / "v2").glob("*.safetensors"))
        spoil(array)
    shutil.copy(source / "deployed.json", home / "deployed.new")
    (home / "deployed.new").replace(home / "deployed.json")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)


@pytest.mark.parametrize("spoil", [torn, of_a_wrong_hash])
def test_a_policy_bundle_torn_or_of_a_wrong_hash(
    spoil: Callable[[Path], None], trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """A policy bundle torn, or of a wrong hash.

    Injected: a new version is deployed half a file short, or with one bit changed.
    Client: answers, by the last good bundle; `/readyz` warns; a sound copy takes over once it is there.
    Log: decisions of the last good bundle, then of the new one.
    """
    home, elsewhere = tmp_path / "home", Store(tmp_path / "elsewhere")
    Store(home / FOLDER).promote(trained[0])
    with gateway(home, TOML.format(explore=0.0)) as running:
        good = policy(running)
        assert good.startswith("bundle:")
        elsewhere.promote(trained[0])
        elsewhere.promote(trained[1])
        deployed(elsewhere.root, home / FOLDER, spoil)
        until(lambda: "SHA-256" in str(running.get("/readyz")[1].get("warnings")))
        assert running.get("/readyz")[0] == 200
        assert policy(running) == good
        deployed(elsewhere.root, home / FOLDER)
        until(lambda: policy(running) != good)
        assert policy(running).startswith("bundle:")
        assert "warnings" not in running.get("/readyz")[1]
