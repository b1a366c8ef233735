"""`train --extend`: a candidate more from a few dozen labels, and nothing that was learned moves."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from tests import forked
from tests.learning.synthetic import prompts, write_table

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.errors import BundleError, TableError
from edgewise.domain.requests import Features, Situation
from edgewise.features.described import describer
from edgewise.learning.evaluate import evaluate
from edgewise.learning.tables import read_table
from edgewise.learning.train import Target, TrainOptions, add_candidates, learn
from edgewise.learning.train.answers import describe_answers
from edgewise.policies.bundles import MANIFEST, Bundle, Learned
from edgewise.policies.checks import check_policy
from edgewise.policies.objectives import Objective

COLUMNS = ["prompt", "candidate", "location", "quality", "latency_s", "cost_usd"]
UNSEEN = prompts(200, seed=77)
DESCRIBED = describer("static")([prompt for prompt, _ in UNSEEN])
HARD = np.array([hard for _, hard in UNSEEN])


def labels(path: Path, count: int = 40, *, name: str = "medium", columns: list[str] = COLUMNS) -> Path:
    """A new candidate that fails on half of the hard prompts, on prompts that the bundle has not seen."""
    dice = Random(5)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, columns, extrasaction="ignore")
        out.writeheader()
        for prompt, hard in prompts(count, seed=31):
            right = dice.random() < (0.4 if hard else 0.95)
            row = [prompt, name, "cloud", float(right), dice.uniform(0.4, 0.6), 0.0004]
            out.writerow(dict(zip(COLUMNS, row, strict=True)))
    return path


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parent")
    table = read_table(write_table(folder / "t.csv", responses=True))
    learn(table, TrainOptions(Objective("quality-at-cost"))).save(folder / "b")
    return folder / "b"


@pytest.fixture(scope="module")
def child(parent: Path) -> Path:
    folder = parent.parent / "child"
    add_candidates(parent, read_table(labels(parent.parent / "medium.csv"))).save(folder)
    return folder


def test_the_others_are_forecast_bit_for_bit_as_before(parent: Path, child: Path) -> None:
    old, new = Bundle.load(parent), Bundle.load(child)
    assert new.candidates == (*old.candidates, "medium")
    before, after = old.forecast(DESCRIBED), new.forecast(DESCRIBED)
    np.testing.assert_array_equal(before.far, after.far)
    pairs = [(getattr(before, name), getattr(after, name)) for name in ("value", "low", "high")]
    pairs += [(found, after.metrics[name]) for name, found in before.metrics.items()]
    for name, both in before.ranges.items():
        pairs += list(zip(both, after.ranges[name], strict=True))
    assert set(before.metrics) == set(after.metrics) == {"quality", "latency_s", "cost_usd"}
    for one, other in pairs:
        assert other.shape == (200, 3)
        assert other[:, :2].tobytes() == one.tobytes()
        assert np.isfinite(other).all()


def test_forty_labels_forecast_better_than_their_mean_and_than_the_others_mean(child: Path) -> None:
    said = Bundle.load(child).forecast(DESCRIBED).metrics["quality"]
    truth = np.where(HARD, 0.4, 0.95)
    label_mean = np.mean([row.endswith("1.0") for row in _quality_cells(child.parent / "medium.csv")])
    mine = ((said[:, 2] - truth) ** 2).mean()
    assert mine < 0.5 * ((label_mean - truth) ** 2).mean()
    assert mine < 0.5 * ((said[:, :2].mean() - truth) ** 2).mean()


def _quality_cells(path: Path) -> list[str]:
    with path.open() as file:
        return [row["quality"] for row in csv.DictReader(file)]


def test_its_amounts_are_its_own(child: Path) -> None:
    found = Bundle.load(child).forecast(DESCRIBED)
    assert 0.4 < np.median(found.metrics["latency_s"][:, 2]) < 0.6
    np.testing.assert_allclose(found.metrics["cost_usd"][:, 2], 0.0004, rtol=0.05)
    low, high = (bound[:, 2] for bound in found.ranges["latency_s"])
    assert (low <= found.metrics["latency_s"][:, 2]).all()
    assert (found.metrics["latency_s"][:, 2] <= high).all()


def test_the_manifest_names_the_parent_and_has_held_out_figures(parent: Path, child: Path) -> None:
    old, new = (json.loads((folder / MANIFEST).read_text()) for folder in (parent, child))
    assert new["training"]["parent"] == old["version"] != new["version"]
    assert old["training"]["parent"] == ""
    assert new["training"]["prompts"] == old["training"]["prompts"] + 40
    for head in ("value", "quality", "latency_s", "cost_usd"):
        assert new["heads"][head]["metrics"]["medium"]["labels"] == 40
        assert new["heads"][head]["metrics"]["small"] == old["heads"][head]["metrics"]["small"]
    assert 0 < new["heads"]["value"]["metrics"]["medium"]["r2"] < 1
    assert any("40 labels" in note for note in new["training"]["notes"])


def test_twice_the_same_bytes(parent: Path, child: Path) -> None:
    again = add_candidates(parent, read_table(child.parent / "medium.csv"))
    for name, raw in again.packed.files.items():
        assert (child / name).read_bytes() == raw
    assert again.bundle.manifest == Bundle.load(child).manifest


def test_a_child_can_have_a_child(child: Path, tmp_path: Path) -> None:
    table = read_table(labels(tmp_path / "huge.csv", name="huge"))
    grown = add_candidates(child, table)
    grown.save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b").forecast(DESCRIBED)
    before = Bundle.load(child).forecast(DESCRIBED)
    assert loaded.value[:, :3].tobytes() == before.value.tobytes()
    assert loaded.metrics["latency_s"][:, :3].tobytes() == before.metrics["latency_s"].tobytes()
    assert grown.bundle.manifest.training.parent == Bundle.load(child).manifest.version


def test_it_serves_and_reads_answers(child: Path) -> None:
    bundle = Bundle.load(child)
    candidates = tuple(Candidate(name, "cloud", "device") for name in bundle.candidates)
    one = Features({}, DESCRIBED.take(np.arange(1)), "text-1", bundle.manifest.features)
    odds = check_policy(Learned(bundle), Situation(one, Shortlist(candidates), {}, None))
    assert set(odds.forecasts) == {"small", "large", "medium"}
    texts = ["prove this case", "prove this case"]
    said = ["The answer is 42, for certain.", "I am not sure, maybe, perhaps."]
    described = describer("static")(texts)
    plain = bundle.forecast(described)
    read = bundle.forecast(described, {"small": (np.arange(2), describe_answers(texts, said, "static"))})
    small, medium = (bundle.candidates.index(name) for name in ("small", "medium"))
    assert read.value[0, small] > read.value[1, small] + 0.4
    np.testing.assert_allclose(read.value[:, medium], plain.value[:, medium], atol=1e-6)


def test_it_can_be_evaluated(child: Path, tmp_path: Path) -> None:
    rows = (write_table(tmp_path / "a.csv", 60, seed=3)).read_text().splitlines()
    with (tmp_path / "t.csv").open("w") as file:
        file.write("\n".join(rows) + "\n")
        for prompt, hard in prompts(60, seed=3):
            file.write(f"{prompt},medium,cloud,{float(not hard)},0.5,0.0004,x\n")
    report = evaluate(Bundle.load(child), read_table(tmp_path / "t.csv"), name="t", say=lambda _: None)
    assert set(report.candidates) == {"small", "large", "medium"}
    assert report.prompts == 60


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_share_of_the_cloud_counts_for_it_too(share: float, tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "t.csv"))
    options = TrainOptions(Objective("quality-at-cost"), learner="ridge", target=Target(cloud_share=share))
    learn(table, options).save(tmp_path / "b")
    grown = add_candidates(tmp_path / "b", read_table(labels(tmp_path / "m.csv"))).bundle
    assert grown.offsets[2] == grown.offsets[grown.candidates.index("large")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "large"}, "The bundle has large already"),
        ({"count": 19}, "19 prompts with an outcome of medium; adding a candidate needs at least 20"),
        ({"columns": [c for c in COLUMNS if c != "latency_s"]}, "forecasts latency_s; the table has none"),
        ({"columns": [c for c in COLUMNS if c != "cost_usd"]}, "forecasts cost_usd"),
    ],
)
def test_what_does_not_do_is_one_sentence(
    parent: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    table = read_table(labels(tmp_path / "m.csv", **change))
    with pytest.raises(TableError, match=said):
        add_candidates(parent, table)


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        add_candidates(tmp_path, read_table(labels(tmp_path / "m.csv")))


def edgewise(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return forked.decoded(forked.edgewise(*words))


def test_the_command(parent: Path, tmp_path: Path) -> None:
    table = labels(tmp_path / "m.csv")
    ran = edgewise("train", "--extend", parent, table, "-o", tmp_path / "new")
    assert ran.returncode == 0, ran.stderr
    assert "3 candidates" in ran.stdout
    assert "40 labels" in ran.stderr
    routed = edgewise("route", "--bundle", tmp_path / "new", UNSEEN[0][0])
    assert routed.returncode == 0, routed.stderr
    assert "medium" in routed.stdout
    for words in (("--objective", "qos"), ("--learner", "ridge"), ("--cloud-share", "0.2"), ("--seed", "3")):
        refused = edgewise("train", "--extend", parent, table, "-o", tmp_path / "other", *words)
        assert refused.returncode == 2
        assert f"{words[0]} was settled when the bundle was trained" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(("quality", "chosen"), [(1.0, True), (0.1, False)])
def test_a_head_start_holds_against_it_unless_labels_say_otherwise(
    tmp_path: Path, quality: float, chosen: bool
) -> None:
    """Where nothing told the others apart the best single one is always chosen, but not at any price."""
    dice = Random(1)
    with (tmp_path / "noise.csv").open("w") as file:
        file.write("prompt,candidate,quality\n")
        for prompt, _ in prompts(160):
            file.writelines(
                f"{prompt},{name},{float(dice.random() < share)}\n"
                for name, share in (("a", 0.5), ("b", 0.65))
            )
    with (tmp_path / "new.csv").open("w") as file:
        file.write("prompt,candidate,quality\n")
        file.writelines(f"{prompt},new,{quality}\n" for prompt, _ in prompts(40, seed=31))
    learn(read_table(tmp_path / "noise.csv"), TrainOptions(Objective("quality-at-cost"))).save(tmp_path / "b")
    parent = Bundle.load(tmp_path / "b")
    assert parent.margin.max() > 0.0
    grown = add_candidates(tmp_path / "b", read_table(tmp_path / "new.csv")).bundle
    share = (grown.forecast(DESCRIBED).choice == 2).mean()
    assert share == (1.0 if chosen else 0.0)
