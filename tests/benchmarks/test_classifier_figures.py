"""The benchmark of classifiers in small: a bundle that knows all words, and one that lacks some."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from benchmarks.classifier import tables
from benchmarks.classifier_figures import banking, clinc
from benchmarks.classifier_page import page
from benchmarks.classifier_serving import served
from tests.upstreams.classifiers import WORDS, made

from edgewise.upstreams.classifier import ClassifierBundle, pack

Rows = list[tuple[str, str]]


def said(folder: Path, count: int, seed: int) -> Rows:
    """Random words; nine labels of ten are what the full bundle says of them."""
    dice, full = random.Random(seed), ClassifierBundle.load(folder)
    texts = [" ".join(dice.choices(WORDS[2:], k=dice.randint(3, 8))) for _ in range(count)]
    labels = full.manifest.labels
    return [
        (text, one.label if dice.random() < 0.9 else dice.choice(labels))
        for text, one in zip(texts, full.classify(texts), strict=True)
    ]


def bundles(stages: Path) -> None:
    """`fp32` knows all words; `int4` has never heard of money."""
    made(stages / "fp32")
    made(stages / "int4")
    path = stages / "int4/tokenizer.json"
    tokenizer = json.loads(path.read_text())
    del tokenizer["model"]["vocab"]["money"]
    path.write_text(json.dumps(tokenizer))
    made_of = ClassifierBundle.load(stages / "fp32").manifest
    pack(  # the tokenizer's hash is another now
        stages / "int4",
        labels=made_of.labels,
        recipe="int4",
        temperature=1.0,
        most_tokens=16,
        learned=made_of.learned,
        metrics={},
    )


def written(path: Path, rows: Rows, label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as target:
        csv.writer(target).writerows([("text", label), *rows])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    bundles(folder / "run/stages")
    full = folder / "run/stages/fp32"
    written(folder / "data/banking77/train.csv", said(full, 3_000, 1), "category")
    written(folder / "data/banking77/test.csv", said(full, 900, 2), "category")
    parts = {name: said(full, 300, seed) for seed, name in enumerate(("train", "val", "test"))}
    beyond = {f"oos_{name}": [("what now dear sir", "oos")] * 30 for name in ("train", "val", "test")}
    (folder / "data/clinc150").mkdir(parents=True)
    (folder / "data/clinc150/data_full.json").write_text(json.dumps(parts | beyond))
    return folder


@pytest.mark.slow
def test_every_figure_is_found_and_told(place: Path) -> None:
    found = {"at": "2026-01-02", "machine": {"cpu": "a chip"}}
    found["banking77"] = figures = banking(place / "data", place / "run")
    found["clinc150"] = clinc(place / "data", place / "run")
    found["serving"] = serving = served(place / "data", place / "run", "int4")
    assert figures["bundles"]["fp32"]["agreement"] == 1.0
    assert figures["bundles"]["int4"]["agreement"] < 1.0
    for one in figures["cascades"].values():
        assert one["curve"][0]["loss"] >= one["curve"][-1]["loss"] - 1e-9
    for split in figures["splits"].values():
        assert split["broken_in_a_known_population"] <= 15
    assert serving["saved"] == pytest.approx(serving["most_saved_at_this_share"], abs=0.01)
    assert serving["most_saved"] == pytest.approx(0.926, abs=0.001)
    said_of_it = page(found)
    assert "## banking77: the deferral curves" in said_of_it
    assert "| clinc150 | `int4` | 0.0% | 200 |" in said_of_it


def test_the_parts_of_clinc_become_tables(place: Path) -> None:
    tables(place / "data/clinc150/data_full.json", place / "clinc")
    with (place / "clinc/val.csv").open() as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 300
    assert set(rows[0]) == {"text", "label"}
