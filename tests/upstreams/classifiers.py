"""A classifier whose every logit is known: words add up, and padding would show."""

from __future__ import annotations

import shutil
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from edgewise.upstreams.classifier import ClassifierManifest, Learned, pack

GOLDEN = Path(__file__).parent.parent / "golden/classifier/model.onnx"
WORDS = ("[PAD]", "[UNK]", "good", "bad", "parcel", "late", "money")
LABELS = ("praise", "blame", "parcel")
LEARNED = Learned("none", 8, 2, 2, "0" * 12, 0)


def made(folder: Path, *, temperature: float = 1.0, most_tokens: int = 16) -> ClassifierManifest:
    """Write the bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(GOLDEN, folder / "model.onnx")
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token=WORDS[1]))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return pack(
        folder,
        labels=LABELS,
        recipe="fp32",
        temperature=temperature,
        most_tokens=most_tokens,
        learned=LEARNED,
        metrics={},
    )
