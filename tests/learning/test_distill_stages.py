from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.learning.tiny_base import sentences, tiny_base

pytest.importorskip("torch", reason="needs the extra `distill`")
pytest.importorskip("transformers", reason="needs the extra `distill`")
pytest.importorskip("onnx", reason="needs the extra `distill`")

from edgewise.domain.errors import BundleError
from edgewise.learning.distill import exporting, finetune, run, teaching
from edgewise.learning.distill.finetune import batched, class_weights, logits_of
from edgewise.learning.distill.labelled import LabelledTable
from edgewise.learning.distill.options import DistillOptions, FineTuning, Teaching
from edgewise.learning.distill.parts import Parts, parted
from edgewise.upstreams.classifier import ClassifierBundle

pytestmark = pytest.mark.filterwarnings("default")  # torch and its kin warn about themselves


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def parts() -> Parts:
    texts, labels = zip(*sentences(240), strict=True)
    return parted(LabelledTable("made up", texts, labels))


def options(base: Path, **others: Any) -> DistillOptions:
    tuning = FineTuning(epochs=3, backbone_rate=1e-3)
    teaching = Teaching(layers=(1, 2), static=True, epochs=3, rate=1e-3, static_epochs=5)
    return DistillOptions(str(base), most_tokens=16, tuning=tuning, teaching=teaching, **others)


@pytest.fixture(scope="module")
def made(base: Path, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    run.distill(parts, folder, options(base), lambda _: None)
    return folder


def test_the_bundle_knows_what_it_was_taught(made: Path, parts: Parts) -> None:
    bundle = ClassifierBundle.load(made)
    assert bundle.manifest.labels == ("fruit", "tool")
    said = bundle.classify(parts.test.texts)
    assert [one.label for one in said] == list(parts.test.labels)
    assert bundle.manifest.metrics["test"]["accuracy"] == 1.0
    assert bundle.manifest.learned.train == len(parts.train.texts)


def test_the_smallest_that_keeps_enough_is_chosen(made: Path) -> None:
    sources = ("", "cut-", "layers1-", "static-")  # the base model has two layers: two are none fewer
    found = {
        name: ClassifierBundle.load(made / "stages" / name).manifest
        for name in ("fp32", *(f"{source}{bits}" for source in sources for bits in ("int8", "int4")))
    }
    sizes = {name: manifest.metrics["bytes"] for name, manifest in found.items()}
    assert sizes["fp32"] > sizes["int8"] > sizes["cut-int8"] > sizes["layers1-int8"]
    assert sizes["int4"] > sizes["cut-int4"] > sizes["layers1-int4"]
    chosen = ClassifierBundle.load(made).manifest
    right = found["fp32"].metrics["validation"]["accuracy"]
    assert chosen.metrics["validation"]["accuracy"] >= 0.991 * right
    assert chosen.files["model.onnx"] == found[chosen.recipe].files["model.onnx"]
    assert found["cut-int8"].metrics["validation"]["agreement"] > 0.9


def test_no_pickle_is_left_behind(made: Path) -> None:
    endings = {path.suffix for path in made.rglob("*") if path.is_file()}
    assert endings == {".html", ".json", ".onnx", ".png", ".safetensors"}


def test_what_is_done_is_kept_and_what_is_torn_is_done_again(
    made: Path, base: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (made / "classifier.json").read_bytes()
    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(finetune, "fine_tune", None)  # calling it would fail
        patched.setattr(exporting, "export", None)
        patched.setattr(exporting, "proven", None)
        patched.setattr(teaching, "teach", None)
        (made / "stages/int8/model.onnx").write_bytes(b"torn")
        run.distill(parts, made, options(base), said.append)
    assert [line for line in said if "kept" in line] == [
        f"{name}: done before, kept."
        for name in (
            *("finetune", "fp32", "int4", "cut", "cut-int8", "cut-int4", "layers1", "layers1-int8"),
            *("layers1-int4", "static", "static-int8", "static-int4", "cascade", "benchmark"),
        )
    ]
    assert any(line.startswith("int8: ") and "accuracy" in line for line in said)
    chosen = json.loads((made / "classifier.json").read_bytes())
    assert chosen["files"] == json.loads(before)["files"]


def test_the_same_seed_gives_the_same_model(made: Path, base: Path, parts: Parts, tmp_path: Path) -> None:
    run.distill(parts, tmp_path, options(base), lambda _: None, until="compress")
    first, second = (ClassifierBundle.load(folder).manifest for folder in (made, tmp_path))
    assert second.files.items() <= first.files.items()  # the first one went on to the cascade
    assert first.temperature == second.temperature


def test_an_export_that_says_something_else_is_refused(
    made: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "logits_of", lambda *given: logits_of(*given) + 0.01)
    with pytest.raises(BundleError, match=r"differs from the trained one by 0\.01 in a logit"):
        exporting.export(made / "stages/finetune", 2, 16, parts.test.texts, tmp_path)


def test_a_head_that_the_first_epochs_do_not_reach_ends_no_training() -> None:
    losses = (0.467, 0.486, 0.468, 0.47, 0.471)  # of the head alone, then of each epoch
    epochs = [{"epoch": number, "loss": loss} for number, loss in enumerate(losses)]
    assert [finetune.idle(epochs[: count + 1]) for count in range(1, 5)] == [0, 0, 1, 2]


def test_rare_labels_weigh_more_and_rows_one_on_average() -> None:
    labels = [0] * 90 + [1] * 10
    weights = class_weights(labels, 2, 0.5).numpy()
    assert weights[1] / weights[0] == pytest.approx(3.0)
    assert np.mean([weights[label] for label in labels]) == pytest.approx(1.0)


def test_batches_are_drawn_by_the_seed_and_hold_each_row_once() -> None:
    lengths = [row % 17 for row in range(1000)]
    found = batched(lengths, 32, 1)
    assert sorted(row for batch in found for row in batch) == list(range(1000))
    assert found == batched(lengths, 32, 1) != batched(lengths, 32, 2)
    spreads = [max(lengths[r] for r in batch) - min(lengths[r] for r in batch) for batch in found]
    assert np.mean(spreads) < 3
