"""MiniLM: the right vectors, cheaply, on the real model."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise import assets
from edgewise.domain.errors import AssetError, MissingExtra
from edgewise.features.minilm import BATCH_TOKENS, LEAST_FILLED, MiniLM, _batches

# The first numbers that the model's own page gives for this sentence, computed there with fp32 weights.
GOLDEN_TEXT = "This is an example sentence"
GOLDEN = [0.0676569, 0.0634959, 0.0487131, 0.0793049, 0.0374480, 0.0026528, 0.0393749, -0.0070984]


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM(assets.path_of("minilm", "model.onnx"), assets.path_of("minilm", "tokenizer.json"))


def test_golden(minilm: MiniLM) -> None:
    vectors, tokens = minilm.embed_counted([GOLDEN_TEXT])
    assert vectors.shape == (1, 384)
    assert vectors.dtype == np.float32
    assert tokens == 7
    assert vectors[0, :8] == pytest.approx(GOLDEN, abs=0.006)  # int8 weights


def test_like_is_nearer_than_unlike(minilm: MiniLM) -> None:
    texts = [
        "How do I reset my password?",
        "I forgot my login credentials and cannot get in",
        "The recipe needs two eggs and some flour",
        "Bake the cake for forty minutes",
        "Why is the sky blue?",
    ]
    vectors = minilm.embed(texts)
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > 0.4 > cosines[0, 2:].max()
    assert cosines[2, 3] > 0.35 > cosines[2, [0, 1, 4]].max()


words = st.lists(
    st.sampled_from(
        ["the", "cat", "sat", "on", "a", "mat;", "dogs", "bark,", "naïve", "東京", "1984", "{x:", "y}"]
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(words.map(" ".join), min_size=1, max_size=8))
def test_a_vector_has_length_1_and_does_not_depend_on_its_company(minilm: MiniLM, texts: list[str]) -> None:
    vectors, tokens = minilm.embed_counted(texts)
    assert vectors.shape == (len(texts), 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    alone = [minilm.embed_counted([text]) for text in texts]
    assert tokens == sum(count for _, count in alone)
    for vector, (single, _) in zip(vectors, alone, strict=True):
        assert vector == pytest.approx(single[0], abs=1e-4)


@given(st.lists(st.integers(1, 256), max_size=60))
def test_batches_hold_every_text_once_with_little_padding(lengths: list[int]) -> None:
    batches = list(_batches(lengths))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = lengths[batch[0]]
        assert longest == max(lengths[index] for index in batch)
        assert min(lengths[index] for index in batch) >= LEAST_FILLED * longest
        assert len(batch) == 1 or len(batch) * longest <= BATCH_TOKENS


def test_long_texts_are_cut_at_256_tokens(minilm: MiniLM) -> None:
    text = "one two three four " * 100
    long, tokens = minilm.embed_counted([text])
    assert tokens == 256
    assert minilm.embed([text + "and something else entirely"])[0] == pytest.approx(long[0], abs=1e-5)
    assert minilm.embed_counted(["x y " * 2_000_000])[1] == 256


def test_odd_texts(minilm: MiniLM) -> None:
    none, no_tokens = minilm.embed_counted([])
    assert (none.shape, no_tokens) == ((0, 384), 0)
    assert minilm.embed_counted([""])[1] == 2
    odd = minilm.embed(["\ud800 lone", "a\x00b", "\u202e", " \n\t ", "🦜" * 300])
    assert np.isfinite(odd).all()


def test_several_threads_share_one_model() -> None:
    fresh = MiniLM(assets.path_of("minilm", "model.onnx"), assets.path_of("minilm", "tokenizer.json"))
    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(lambda _: fresh.embed([GOLDEN_TEXT])[0], range(8)))
    assert all((vector == vectors[0]).all() for vector in vectors)


@pytest.mark.parametrize("torn", ["model.onnx", "tokenizer.json"])
def test_torn_files_are_named(torn: str, tmp_path: Path) -> None:
    spoiled = tmp_path / torn
    spoiled.write_bytes(assets.path_of("minilm", torn).read_bytes()[:1000])
    paths = [
        spoiled if name == torn else assets.path_of("minilm", name)
        for name in ("model.onnx", "tokenizer.json")
    ]
    with pytest.raises(AssetError, match=rf"{torn} cannot be loaded as .*; run: edgewise models verify$"):
        MiniLM(*paths).embed(["x"])


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers"])
def test_without_the_extra(missing: str, minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    fresh = MiniLM(minilm.model_path, minilm.tokenizer_path)
    with pytest.raises(MissingExtra, match=r"pip install 'edgewise\[minilm\]'"):
        fresh.embed(["x"])


def test_nothing_heavy_loads_before_use() -> None:
    asked = (
        "import sys, edgewise.features.minilm\n"
        "print({'numpy', 'onnxruntime', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
