from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from edgewise.learning.distill import vocabulary
from edgewise.learning.distill.vocabulary import cut
from edgewise.upstreams.classifier.runtime import open_tokenizer, token_ids

WORDS = ("the", "card", "cards", "##d", "##s", "lost", "refund", "##fund", "my", "atlantis", "##lantis")
LETTERS = tuple(string.ascii_lowercase) + tuple(f"##{letter}" for letter in string.ascii_lowercase)
UNKNOWN = "[UNK]"
TEXTS = ("The card", "my cards lost", "a refund")


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokens = dict.fromkeys(("[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *WORDS))
    numbers = {token: row for row, token in enumerate(tokens)}
    tokenizer: Any = Tokenizer(WordPiece(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(token, numbers[token]) for token in ("[CLS]", "[SEP]")],
    )
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    path = tmp_path_factory.mktemp("pieces") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module")
def small(pieces: Path) -> tuple[Path, tuple[int, ...]]:
    """The tokenizer cut to `TEXTS` and no other word."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vocabulary, "GENERAL", 0)
        found = cut(pieces, TEXTS, 32)
    path = pieces.with_name("small.json")
    path.write_bytes(found.tokenizer)
    return path, found.kept


def words(path: Path, texts: list[str] | tuple[str, ...]) -> list[list[str]]:
    tokenizer = open_tokenizer(path, 32)
    return [[tokenizer.id_to_token(one) for one in ids] for ids in token_ids(tokenizer, texts)]


def test_what_it_was_cut_to_falls_into_the_same_pieces(
    pieces: Path, small: tuple[Path, tuple[int, ...]]
) -> None:
    path, kept = small
    assert words(path, TEXTS) == words(pieces, TEXTS)
    before, after = (token_ids(open_tokenizer(one, 32), TEXTS) for one in (pieces, path))
    assert [[kept[new] for new in ids] for ids in after] == before


def test_what_nobody_said_is_left_out(small: tuple[Path, tuple[int, ...]]) -> None:
    path, kept = small
    left = set(json.loads(path.read_bytes())["model"]["vocab"])
    assert len(left) == len(kept)
    assert {"card", "cards", "refund", "a", "##a", "[PAD]"} <= left
    assert not left & {"[unused0]", "atlantis", "##lantis", "##fund"}


@settings(deadline=None, max_examples=60, derandomize=True)
@given(text=st.text(alphabet=string.ascii_letters + " ", max_size=40))
def test_what_could_be_read_can_still_be_read(
    small: tuple[Path, tuple[int, ...]], pieces: Path, text: str
) -> None:
    assert not any("[UNK]" in found for found in words(pieces, [text]))
    assert not any("[UNK]" in found for found in words(small[0], [text]))


def test_an_unseen_word_falls_into_smaller_pieces(small: tuple[Path, tuple[int, ...]]) -> None:
    assert words(small[0], ["Atlantis"]) == [
        ["[CLS]", "a", "##t", "##l", "##a", "##n", "##t", "##i", "##s", "[SEP]"]
    ]


def test_the_most_frequent_words_are_kept_unseen(pieces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "GENERAL", 2)
    left = set(json.loads(cut(pieces, ["a"], 32).tokenizer)["model"]["vocab"])
    assert left & set(WORDS) == {"the", "card", "##d", "##s"}  # two words; single letters stay anyway


def test_another_kind_of_tokenizer_keeps_all_it_has(tmp_path: Path) -> None:
    from tokenizers.models import WordLevel  # noqa: PLC0415 - beside its one use

    path = tmp_path / "tokenizer.json"
    Tokenizer(WordLevel({UNKNOWN: 0, "a": 1, "b": 2}, unk_token=UNKNOWN)).save(str(path))
    found = cut(path, ["a"], 8)
    assert (found.kept, found.tokenizer) == ((0, 1, 2), path.read_bytes())
