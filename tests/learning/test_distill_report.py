from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.upstreams.classifiers import LABELS, made

from edgewise.domain.errors import BundleError, StoreError
from edgewise.learning.distill.alone import alone, spread
from edgewise.learning.distill.benchmark import Benchmark, benchmark, label_scores
from edgewise.learning.distill.labelled import LabelledTable
from edgewise.learning.distill.measuring import figures
from edgewise.learning.distill.report import DistillReport, report_on, write
from edgewise.learning.distill.report.page import sentences
from edgewise.upstreams.classifier import ClassifierBundle, ClassifierManifest

TEST = LabelledTable(
    "test.csv",
    ("good", "bad late", "parcel", "good money", "bad <b>"),
    ("praise", "blame", "parcel", "blame", "blame"),
    ("test.csv: 1 of 6 texts stand in train.csv too.",),
)
WATTS = 7.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("bundles")
    made(home / "fp32", most_tokens=16)
    made(home / "int4", temperature=2.0, most_tokens=16)
    return {name: home / name for name in ("fp32", "int4")}


@pytest.fixture(scope="module")
def measured(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    place = tmp_path_factory.mktemp("benchmark")
    said: list[str] = []
    facts = benchmark(folders, TEST, WATTS, place, said.append)
    assert [line.partition(":")[0] for line in said] == ["benchmark, fp32", "benchmark, int4"]
    assert msgspec.json.decode((place / "benchmark.json").read_bytes(), type=Benchmark) == msgspec.convert(
        facts, Benchmark
    )
    return msgspec.convert(facts, Benchmark)


def manifests(folders: dict[str, Path], size: dict[str, int]) -> dict[str, ClassifierManifest]:
    columns = np.array([LABELS.index(label) for label in TEST.labels])
    found: dict[str, ClassifierManifest] = {}
    for name, folder in folders.items():
        bundle = ClassifierBundle.load(folder)
        logits = bundle.logits(TEST.texts)
        part = figures(logits, columns, bundle.manifest.temperature, logits)
        metrics: dict[str, Any] = {"bytes": size[name], "validation": part, "test": part}
        learned = msgspec.structs.replace(bundle.manifest.learned, notes=TEST.notes)
        found[name] = msgspec.structs.replace(bundle.manifest, recipe=name, metrics=metrics, learned=learned)
    return found


@pytest.fixture(scope="module")
def report(folders: dict[str, Path], measured: Benchmark) -> DistillReport:
    found = manifests(folders, {"fp32": 1_000_000, "int4": 200_000})
    epochs = [{"epoch": number, "loss": 1.0 / (number + 1), "accuracy": 0.5} for number in range(3)]
    return report_on(
        found["int4"],
        found,
        measured,
        tables=("train.csv", "test.csv"),
        keep=0.991,
        tuned={"epochs": epochs, "best": 2},
        exported={"parity": 1e-6},
        adapted={"texts": 900, "held_out": 50, "perplexity": [30.0, 12.0]},
        promise="At most 1.0% of the accuracy is lost.",
    )


def test_a_bundle_is_measured_alone_at_true_length_and_padded(measured: Benchmark) -> None:
    for found in measured.bundles.values():
        true, padded = found.alone.true_length, found.alone.padded
        assert true.tokens == 2.0  # of 1, 2, 1, 2 and, "bad < b >", 4
        assert padded.tokens == 16
        for pace in (true, padded):
            assert 0 < pace.cpu_ms.p50 <= pace.cpu_ms.p95
            assert 0 < pace.wall_ms.p50 <= pace.wall_ms.p95
        assert found.alone.rss_mb > found.alone.rss_model_mb
        assert found.alone.rss_mb > 10
        assert found.alone.texts_per_cpu_s > 0 < found.alone.texts_per_s
        assert found.energy_mj == pytest.approx(WATTS * true.cpu_ms.mean, abs=1e-3)


def test_the_machine_and_its_versions_are_named(measured: Benchmark, report: DistillReport) -> None:
    machine = measured.machine
    assert machine.cores >= 1
    assert machine.cpu in machine.sentence
    assert f"onnxruntime {machine.packages['onnxruntime']}" in machine.sentence
    assert msgspec.structs.replace(machine, load=99.0).same == machine.same
    assert report.machine == machine


def test_a_bundle_that_does_not_load_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere could not be measured; .*no classifier"):
        alone(tmp_path / "nowhere", TEST.texts)


def test_what_each_label_is_taken_for() -> None:
    labels, found = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 1, 0])
    worst, blame_or_praise, best = label_scores(found, labels, ("a", "b", "c"))
    assert (worst.label, worst.f1, worst.mistaken_for, worst.mistaken) == ("c", 0.0, "a", 1)
    assert (blame_or_praise.label, blame_or_praise.recall, blame_or_praise.precision) == ("a", 0.3333, 0.5)
    assert (blame_or_praise.mistaken_for, blame_or_praise.mistaken) == ("b", 2)
    assert (best.label, best.recall, best.precision, best.mistaken_for) == ("b", 1.0, 0.5, None)


def test_reliability_adds_up(measured: Benchmark, folders: dict[str, Path]) -> None:
    for name, found in measured.bundles.items():
        assert sum(each.texts for each in found.reliability) == len(TEST.texts)
        sure = ClassifierBundle.load(folders[name]).probabilities(TEST.texts).max(1)
        mean = sum(each.confidence * each.texts for each in found.reliability) / len(TEST.texts)
        assert mean == pytest.approx(float(sure.mean()), abs=1e-5)


def test_the_verdict_says_what_was_measured(report: DistillReport) -> None:
    assert report.verdict == (
        "int4 is 80.0% smaller than fp32 and keeps 100.0% of its accuracy on the validation part. "
        "On the test part it is right in 80.0% of 5 texts (37.6% to 96.4%), fp32 in 80.0%; "
        "they agree in 100.0%."
    )
    stays = msgspec.structs.replace(report, chosen="fp32")
    assert stays.verdict.startswith(
        "No smaller model keeps 99.1% of the accuracy; it stays fp32. On the test"
    )


def test_what_rare_labels_hide_is_said(report: DistillReport) -> None:
    assert report.doubts == [  # three texts of five are blame
        "Always saying 'blame' would be right in 60.0% of the test part's 5 texts; "
        "nothing there shows that int4 knows more."
    ]
    change = msgspec.structs.replace
    labels = [change(score, recall=0.0 if score.texts == 1 else 0.5) for score in report.ours.figures.labels]
    figures_ = change(report.ours.figures, labels=tuple(labels))
    ours = change(report.ours, test={**report.ours.test, "low": 0.7, "macro_f1": 0.5}, figures=figures_)
    known = change(report, recipes=(report.full, ours), labels=4)
    frequent, missed, absent = known.doubts
    assert frequent.endswith("macro-F1, which counts each label the same, is 0.500.")
    assert missed.startswith("Never recognised on the test part, by their texts there: '")
    assert {"'parcel' (1)", "'praise' (1)"} <= set(missed.removesuffix(".").partition(": ")[2].split(", "))
    assert absent == "Of 1 of 4 labels the test part has no text: add rows."
    assert set(known.doubts) <= set(sentences(known))
    balanced = change(ours, figures=change(figures_, labels=(change(labels[0], texts=2, recall=0.5),)))
    assert change(known, recipes=(report.full, balanced), labels=1).doubts == []


def test_sentences_tell_what_the_table_does_not(report: DistillReport) -> None:
    said = " ".join(sentences(report))
    for words in (
        "1 of 6 texts stand in train.csv too.",
        "perplexity 30.0 as it was, 12.0 after each epoch, on 50 texts kept aside",
        "Trained for 2 epochs; kept was epoch 2",
        "by 7 W a busy core, an assumption",
        "At most 1.0% of the accuracy is lost.",
    ):
        assert words in said
    alone_kept = msgspec.structs.replace(report, best=0, adapted=None)
    assert "kept was the head alone" in " ".join(sentences(alone_kept))


def test_the_page_needs_nothing_but_itself(report: DistillReport, tmp_path: Path) -> None:
    written = write(report, tmp_path)
    pictures = [f"distill-{name}.png" for name in ("latency", "reliability", "sizes", "training")]
    assert written == sorted([*pictures, "distill.html", "distill.json"])
    for name in pictures:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "distill.html").read_text()
    assert set(re.findall(r'(?:src|href)="([^"]{0,20})', page)) == {"data:image/png;base6"}
    assert report.verdict in page
    assert page.count('class="ours"') == 1
    assert '<tr class="ours"><td>int4</td><td>0.2</td><td>80.0%</td>' in page
    assert msgspec.json.decode((tmp_path / "distill.json").read_bytes(), type=DistillReport) == report


def test_a_label_cannot_write_into_the_page(report: DistillReport, tmp_path: Path) -> None:
    worst = report.ours.figures.labels[0]
    evil = msgspec.structs.replace(worst, label="<script>alert(1)</script>")
    figures_ = msgspec.structs.replace(report.ours.figures, labels=(evil,))
    recipes = (report.full, msgspec.structs.replace(report.ours, figures=figures_))
    write(msgspec.structs.replace(report, recipes=recipes, table="<i>.csv"), tmp_path)
    page = (tmp_path / "distill.html").read_text()
    assert "<script" not in page
    assert "<i>" not in page


def test_a_report_that_cannot_be_written_is_one_sentence(report: DistillReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="The report cannot be written to"):
        write(report, tmp_path / "file")


def test_a_spread_is_what_numpy_says() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0]) == msgspec.convert(
        {"mean": 2.5, "p50": 2.5, "p95": 3.85}, type(spread([1.0]))
    )
