"""The stage that promises: what calibrates, who the cloud is, and what the bundle then holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.upstreams.classifiers import LABELS, made

from edgewise.domain.errors import TableError
from edgewise.learning.cascade.fitting import Guard
from edgewise.learning.distill.guarding import Guarding, bundle_cloud, column_cloud, spared
from edgewise.learning.distill.labelled import LabelledTable
from edgewise.learning.distill.parts import parted
from edgewise.policies.cascade.placing import FILE, read_placing
from edgewise.upstreams.classifier import ClassifierBundle

WORDS = {"praise": "good", "blame": "bad", "parcel": "parcel"}


def table(count: int, name: str = "t.csv") -> LabelledTable:
    """Texts that the golden classifier knows."""
    labels = [LABELS[number % 3] for number in range(count)]
    texts = [f"{WORDS[label]} {name} {number}" for number, label in enumerate(labels)]
    return LabelledTable(name, tuple(texts), tuple(labels))


def quiet(_: str) -> None:
    pass


def test_what_calibrates_was_never_trained_on_nor_chosen_by() -> None:
    before = parted(table(600))
    after, calibration = spared(before, 0)
    sides = [after.train, before.validation, before.test, calibration]
    assert sum(len(side.texts) for side in sides) == 600
    assert len({key for side in sides for key in side.keys}) == 600
    assert after.validation is before.validation
    assert len(calibration.texts) == pytest.approx(48, abs=6)
    assert set(after.train.labels) == set(LABELS)


def test_the_bundle_gets_its_promise_and_names_it(tmp_path: Path) -> None:
    manifest = made(tmp_path / "edge")
    made(tmp_path / "full")
    guarding = Guarding(Guard(), table(400, "c.csv"))
    said: list[str] = []
    folders = tmp_path / "edge", tmp_path / "stages", tmp_path / "full"
    placing = guarding.guarded(*folders, table(90), said.append)
    assert placing.promise is not None
    assert placing.promise.proven
    assert placing.cloud == f"fp32:{manifest.version}"
    assert read_placing(tmp_path / "edge", manifest.version) == placing
    assert FILE in ClassifierBundle.load(tmp_path / "edge").manifest.files
    assert guarding.guarded(*folders, table(90), said.append) == placing
    assert said == ["cascade: done before, kept."]
    other = Guarding(Guard(), table(402, "c.csv")).guarded(*folders, table(90), quiet)
    assert other.promise is not None
    assert other.promise.texts == 402


def test_a_column_can_be_the_cloud(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label,gpt\ngood one,praise,Praise\nbad one,blame,\n")
    cloud = column_cloud("gpt", "text", [path], LABELS)
    assert cloud.labels(["good  one"]) == ["praise"]
    with pytest.raises(TableError, match="Column `gpt` says nothing of 'bad one'"):
        cloud.labels(["bad one"])
    with pytest.raises(TableError, match=r"t\.csv has no column `claude` with the cloud's labels"):
        column_cloud("claude", "text", [path], LABELS)


def test_another_bundle_can_be_the_cloud(tmp_path: Path) -> None:
    manifest = made(tmp_path / "big")
    cloud = bundle_cloud(tmp_path / "big")
    assert cloud.name == f"fp32:{manifest.version}"
    assert cloud.labels(["good", "parcel"]) == ["praise", "parcel"]
