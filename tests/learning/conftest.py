"""A trained bundle, a configuration that follows what is deployed, and the store that it follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.learning.deployments import TOML
from tests.learning.synthetic import write_table

from edgewise.learning.deploy import FOLDER, Store
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective
from edgewise.settings import Settings, load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("trained")
    options = TrainOptions(Objective("quality-at-cost", weight=0.1), learner="ridge")
    learn(read_table(write_table(here / "t.csv")), options).save(here / "bundle")
    return here / "bundle"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "edgewise.toml"
    path.write_text(TOML.format(explore=0.0))
    return load(path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / FOLDER)
