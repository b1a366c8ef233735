import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.made_up import STATIC

from edgewise.features.static import statistics, tokens
from edgewise.features.static.vectors import BITS

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)  # lone surrogates too


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY_TEXT, max_size=4))
def test_any_unicode_has_finite_features_of_the_promised_shape(texts):
    found = STATIC.describe(texts)
    assert found.vectors.shape == (len(texts), 256)
    assert found.statistics.shape == (len(texts), statistics.WIDTH)
    assert np.isfinite(found.vectors).all()
    assert np.isfinite(found.statistics).all()
    assert found.bounds[-1] == len(found.terms)
    assert ((found.terms >= 0) & (found.terms < 1 << BITS)).all()
    lengths = np.linalg.norm(found.vectors, axis=1)
    assert (np.isclose(lengths, 1, atol=1e-5) | (lengths == 0)).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=6), st.randoms())
def test_one_by_one_in_any_order_gives_the_same_bytes_as_all_at_once(texts, draw):
    whole = STATIC.describe(texts)
    order = list(range(len(texts)))
    draw.shuffle(order)
    turned = whole.take(np.array(order))
    for place, row in enumerate(order):
        alone = STATIC.describe([texts[row]])
        assert alone.vectors[0].tobytes() == whole.vectors[row].tobytes() == turned.vectors[place].tobytes()
        assert alone.statistics[0].tobytes() == turned.statistics[place].tobytes()
        mine = turned.terms[turned.bounds[place] : turned.bounds[place + 1]]
        assert alone.terms.tobytes() == mine.tobytes()


def test_a_megabyte_is_read_at_both_ends_only():
    middle = STATIC.describe(["start " * 3000 + "x" * 1_000_000 + " end" * 4000])
    other = STATIC.describe(["start " * 3000 + "y" * 1_000_000 + " end" * 4000])
    assert middle.vectors.tobytes() == other.vectors.tobytes()
    assert np.isfinite(middle.vectors).all()


def test_nothing_has_no_direction():
    found = STATIC.describe(["", " \n", "\ud800"])
    assert not found.vectors[0].any()
    assert not found.vectors[1].any()


def test_related_words_lie_nearer_than_unrelated_ones():
    cat, kitten, tax = STATIC.describe(["a small cat", "a young kitten", "income tax law"]).vectors
    assert cat @ kitten > cat @ tax + 0.2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", ",", "world", "!"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("你好a", ["你", "好", "a"]),
        ("3.5% → x_1", ["3", ".", "5", "%", "→", "x", "_", "1"]),
        ("", []),
    ],
)
def test_words_are_those_of_bert(text, expected):
    assert tokens.words(text) == expected


def test_pieces_are_those_of_the_reference_tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = str(files("edgewise.features.static") / "data" / "vocab.txt")
    reference = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
    reader = tokens.WordPieces(Path(vocabulary).read_text(encoding="utf-8").rstrip("\n").split("\n"))
    for text in ("Unaffordable tokenization, isn't it?", "naïve café 日本", "x" * 50, "e=mc2; f(x)=3.14"):
        assert reader(text) == reference.encode(text, add_special_tokens=False).ids


def test_no_statistic_knows_a_benchmark():
    assert len(statistics.NAMES) == len(set(statistics.NAMES))
    assert not any(re.search(r"mmlu|gsm|choice|option", name) for name in statistics.NAMES)


def test_the_notice_ships_beside_the_array():
    notice = (files("edgewise.features.static") / "data" / "NOTICE").read_text(encoding="utf-8")
    assert "all-MiniLM-L6-v2" in notice
    assert "Apache License, Version 2.0" in notice
