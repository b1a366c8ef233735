from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.upstreams.classifiers import LABELS, made
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from edgewise.domain.errors import BundleError
from edgewise.upstreams.classifier import MANIFEST, ClassifierBundle
from edgewise.upstreams.classifier.runtime import (
    BATCH_TOKENS,
    LEAST_FILLED,
    Runtime,
    batches,
    scales_by_batch,
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ClassifierBundle:
    folder = tmp_path_factory.mktemp("bundle")
    made(folder, temperature=2.0)
    return ClassifierBundle.load(folder)


def test_labels_and_calibrated_probabilities(bundle: ClassifierBundle) -> None:
    good, bad = bundle.classify(["good good", "bad late parcel"])
    assert bundle.logits(["good good", "bad late parcel"]).tolist() == [[4, 0, 0], [-2, 3, 4]]
    assert (good.label, bad.label) == ("praise", "parcel")
    weights = np.exp([2.0, 0, 0])  # logits 4, 0, 0 at temperature 2
    assert list(good.probabilities.values()) == pytest.approx(weights / weights.sum())
    assert list(bad.top(2)) == ["parcel", "blame"]
    assert list(bad.top(0)) == ["parcel", "blame", "praise"]
    assert good.confidence == max(good.probabilities.values())
    assert bundle.classify([]) == []


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["good", "bad", "parcel", "late", "money", "who"]), max_size=30)))
def test_a_batch_says_what_each_text_alone_gets(bundle: ClassifierBundle, words: list[list[str]]) -> None:
    texts = [" ".join(found) for found in words]
    alone = [bundle.classify([text])[0] for text in texts]
    assert bundle.classify(texts) == alone  # padding has logit 99: it would show


@given(st.lists(st.integers(0, 256), max_size=60))
def test_batches_hold_every_text_once_and_little_padding(lengths: list[int]) -> None:
    found = list(batches(lengths))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[index] for index in batch)
        assert longest == lengths[batch[0]]
        assert len(batch) == 1 or len(batch) * longest <= BATCH_TOKENS
        assert min(lengths[index] for index in batch) >= LEAST_FILLED * longest


def test_texts_are_cut_after_the_tokens_it_reads(tmp_path: Path) -> None:
    made(tmp_path, most_tokens=2)
    bundle = ClassifierBundle.load(tmp_path)
    assert bundle.logits(["good good parcel parcel \udc00"]).tolist() == [[4, 0, 0]]


def test_the_version_follows_the_bytes(tmp_path: Path) -> None:
    first, same = made(tmp_path / "a"), made(tmp_path / "b")
    assert first == same
    assert made(tmp_path / "c", temperature=3.0).version != first.version
    assert set(first.files) == {"model.onnx", "tokenizer.json"}


def changed(folder: Path, **values: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 9}, "has schema 9, this Edgewise reads 1"),
        ({"temperature": 0}, "is damaged: Expected `float` >= 0.001"),
        ({"labels": ["one"]}, "is damaged: Expected `array` of length >= 2"),
        ({"labels": [*LABELS, "more"]}, "has 3 columns for 4 labels"),
        ({"kind": "policy"}, "of kind 'policy', not 'classifier'"),
        ({"labels": ["praise", "blame", "blame"]}, "a label is empty, or stands there twice"),
        ({"labels": ["praise", "blame", " "]}, "a label is empty, or stands there twice"),
        ({"temperature": 1e-320}, "is damaged: Expected `float` >= 0.001"),
        ({"most_tokens": 10**30}, "is damaged: "),
        ({"model": "a\0b", "files": {"a\0b": "", "tokenizer.json": ""}}, "outside the bundle: 'a\\x00b'"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"files": {}}, "no SHA-256 of model.onnx and tokenizer.json"),
        (
            {"files": {"../x": "", "model.onnx": "", "tokenizer.json": ""}},
            "names a file outside the bundle",
        ),
    ],
)
def test_a_wrong_manifest_gets_a_sentence(tmp_path: Path, change: dict[str, object], said: str) -> None:
    made(tmp_path)
    changed(tmp_path, **change)
    with pytest.raises(BundleError, match=r"^[^\n]+$") as caught:
        ClassifierBundle.load(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_files_that_were_changed_or_lost_are_named(tmp_path: Path, name: str) -> None:
    made(tmp_path)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(BundleError, match=f"{name} is torn or was changed"):
        ClassifierBundle.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        ClassifierBundle.load(tmp_path)


def test_a_folder_without_a_manifest_is_no_classifier(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no classifier: classifier\.json cannot be read"):
        ClassifierBundle.load(tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match="is damaged"):
        ClassifierBundle.load(tmp_path)


def test_a_graph_that_scales_over_the_batch_runs_each_text_alone(
    bundle: ClassifierBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain.onnx").write_bytes(b"MatMulNBits")
    (tmp_path / "dynamic.onnx").write_bytes(b"...DynamicQuantizeLinear...")
    assert [scales_by_batch(tmp_path / f"{name}.onnx") for name in ("plain", "dynamic")] == [False, True]
    sizes: list[int] = []
    runtime = bundle.runtime
    ran = Runtime._run

    def run(self: Runtime, tokens: Sequence[Sequence[int]], *more: int) -> object:
        sizes.append(len(tokens))
        return ran(self, tokens, *more)

    monkeypatch.setattr(Runtime, "_run", run)
    together = runtime.logits([[2], [3], [4]])
    monkeypatch.setattr(runtime, "_alone", True)
    assert runtime.logits([[2], [3], [4]]).tolist() == together.tolist()
    assert sizes == [3, 1, 1, 1]


def test_a_model_that_cannot_run_on_its_own_tokens_gets_a_sentence(tmp_path: Path) -> None:
    made(tmp_path)
    words = {"[UNK]": 999_999, "good": 2}
    tokenizer = Tokenizer(WordLevel(words, unk_token=next(iter(words))))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    hashed = sha256((tmp_path / "tokenizer.json").read_bytes()).hexdigest()
    files = json.loads((tmp_path / MANIFEST).read_bytes())["files"]
    changed(tmp_path, files={**files, "tokenizer.json": hashed})
    opened = ClassifierBundle.load(tmp_path)
    assert opened.classify(["good"])[0].label in LABELS
    with pytest.raises(BundleError, match=r"model\.onnx cannot run on what its tokenizer gives"):
        opened.classify(["what"])
