"""The support desk: its conversations, and the tutorial as a reader would run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.upstreams.classifiers import GOLDEN, LEARNED, WORDS
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase, Replace, Sequence
from tokenizers.pre_tokenizers import Whitespace

from edgewise.domain.errors import RequestError
from edgewise.learning.worlds import make_conversations
from edgewise.learning.worlds.support import FEELING, SHARES, WITH_ACCOUNT
from edgewise.upstreams.classifier import pack

TUTORIAL = Path(__file__).parents[2] / "examples/support_tutorial.py"
# The golden graph adds up words, three of which speak for one label each; others are taken for them.
SPOKEN = {"positive": "good", "negative": "bad", "neutral": "parcel"}
FEW = {"positive": "joy|thanks", "negative": "furious", "neutral": "where|could"}
MORE = {
    "positive": "joy|saved|fixed|pleasant|happy|friendly|well|works",
    "negative": "furious|cancelling|lied|hard|nothing",
    "neutral": "where|could|is|move|form|possible",
}


def bundle(folder: Path, words: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    shutil.copy(GOLDEN, folder / "model.onnx")
    unknown = "[UNK]"
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token=unknown))
    taken = [Replace(Regex(rf"\b({mine})\b"), SPOKEN[label]) for label, mine in words.items()]
    tokenizer.normalizer, tokenizer.pre_tokenizer = Sequence([Lowercase(), *taken]), Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    pack(
        folder,
        labels=tuple(words),
        recipe="made up",
        temperature=1.0,
        most_tokens=64,
        learned=LEARNED,
        metrics={},
    )


def run(folder: Path, *words: str, home: Path | None = None, timeout_s: float = 1700) -> str:
    ran = subprocess.run(
        [sys.executable, str(TUTORIAL), str(folder / "out"), *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        cwd=folder,
        env={**os.environ, "EDGEWISE_HOME": str(home or folder / "home"), "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_tutorial_from_a_bundle_on(tmp_path: Path) -> None:
    bundle(tmp_path / "made", FEW)
    bundle(tmp_path / "made/stages/fp32", MORE)
    said = run(tmp_path, "180", "made")
    assert "edgewise distill" not in said
    right = {
        name: float(share)
        for name, share in re.findall(r"(edge first|edge alone|cloud alone): right in ([\d.]+)%", said)
    }
    assert right["edge alone"] < right["edge first"] <= right["cloud alone"]
    placed = [json.loads(line) for line in (tmp_path / "out/placed.jsonl").read_text().splitlines()]
    assert {row["candidate"] for row in placed} == {"small", "full"}
    assert re.search(r"\(\$[\d.]+ a query, as stated\): -?[\d.]+% saved", said)
    assert said.endswith("at these prices 94.9% at the edge save 87.9%.\n")


@pytest.mark.slow
def test_the_tutorial_from_nothing(tmp_path: Path) -> None:
    if any(find_spec(name) is None for name in ("torch", "transformers", "onnx")):
        pytest.skip("needs the extra `distill`")
    home = os.environ.get("EDGEWISE_TUTORIAL_HOME")  # where the base model need not be pulled again
    said = run(tmp_path, "150", home=None if home is None else Path(home))
    assert "of conversations from templates never seen" in said
    made = tmp_path / "out/bundle"
    for name in ("classifier.json", "cascade.json", "distill.html", "distill.json", "distill-sizes.png"):
        assert (made / name).exists()
    report = json.loads((made / "distill.json").read_text())
    assert min(report["adapted"]["perplexity"]) < report["adapted"]["perplexity"][0]
    assert float(re.findall(r"cloud alone: right in ([\d.]+)%", said)[0]) > 50  # 40 is always the same answer


@settings(max_examples=10)
@given(st.integers(1, 200), st.integers(0, 5))
def test_conversations_are_different_and_as_many_as_asked(count: int, seed: int) -> None:
    made = make_conversations(count, seed=seed)
    assert len({one.text for one in made}) == len(made) == count
    assert made == make_conversations(count, seed=seed)


def test_the_test_is_written_from_other_templates() -> None:
    train, test = make_conversations(2000), make_conversations(600, part="test")
    assert not {one.template for one in train} & {one.template for one in test}
    assert {one.template for one in (*train, *test)} == {t for each in FEELING.values() for t in each}


def test_shares_and_account_numbers_are_the_published_ones() -> None:
    made = make_conversations(4000)
    counts = Counter(one.sentiment for one in made)
    for sentiment, share in SHARES.items():
        assert counts[sentiment] / len(made) == pytest.approx(share, abs=0.05)
    numbered = sum(bool(re.search(r"\b\d{6}\b", one.text)) for one in made) / len(made)
    assert numbered == pytest.approx(WITH_ACCOUNT, abs=0.08)  # numbers make texts different, which are kept


@pytest.mark.parametrize("count", [0, -1])
def test_too_few_or_too_many_are_refused(count: int) -> None:
    with pytest.raises(RequestError, match="different conversations can be made for the train part"):
        make_conversations(count)
