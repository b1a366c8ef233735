"""The tokens that a domain uses: a tokenizer cut to them, under which every text still falls into pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.upstreams.classifier.runtime import open_tokenizer, token_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GENERAL = 4_000
"""So many of the most frequent words are kept whether the table has them or not.

A word that was never trained on still means what the base model learned; WordPiece numbers by frequency.
"""
UNUSED = "[unused"  # BERT's spare rows


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer with fewer tokens, as its file holds it, and the number that each one had before."""

    tokenizer: bytes
    kept: tuple[int, ...]


def cut(path: Path, texts: Sequence[str], most_tokens: int) -> Vocabulary:
    """The tokens of these texts, the most frequent words, and every single character, in their old order.

    These texts fall into the same pieces as before, any other one into smaller ones where need be: what could
    be read can still be read. A tokenizer of another kind than WordPiece keeps all that it has, since only
    there a token can be left out without changing how others are found.
    """
    file = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    model, tokenizer = file["model"], open_tokenizer(path, most_tokens)
    if model.get("type") != "WordPiece":
        every: dict[str, int] = tokenizer.get_vocab()
        return Vocabulary(path.read_bytes(), tuple(range(max(every.values()) + 1)))
    vocabulary: dict[str, int] = model["vocab"]
    prefix = str(model["continuing_subword_prefix"])
    kept = {token for ids in token_ids(tokenizer, texts) for token in ids}
    kept |= {int(token["id"]) for token in file["added_tokens"]}
    kept.add(vocabulary[model["unk_token"]])
    kept |= {number for token, number in vocabulary.items() if len(token.removeprefix(prefix)) == 1}
    others = sorted(
        number for token, number in vocabulary.items() if number not in kept and not token.startswith(UNUSED)
    )
    kept.update(others[:GENERAL])
    order = tuple(sorted(kept))
    return Vocabulary(_renumbered(file, {old: new for new, old in enumerate(order)}), order)


def _renumbered(file: dict[str, Any], places: Mapping[int, int]) -> bytes:
    vocabulary: dict[str, int] = file["model"]["vocab"]
    file["model"]["vocab"] = {t: places[old] for t, old in vocabulary.items() if old in places}
    for token in file["added_tokens"]:
        token["id"] = places[token["id"]]
    template: dict[str, Any] = file.get("post_processor") or {}
    specials: dict[str, dict[str, Any]] = template.get("special_tokens") or {}
    for special in specials.values():
        special["ids"] = [places[old] for old in special["ids"]]
    return msgspec.json.encode(file)
