"""A base model of a few kilobytes that knows nothing yet: quick to train, and like the real one in shape."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
FRUIT, TOOLS = ("apple", "pear", "plum", "fig"), ("saw", "file", "drill", "vice")
REST = ("the", "a", "my", "his", "is", "was", "here", "gone")


def tiny_base(folder: Path) -> Path:
    """Write configuration, weights and tokenizer."""
    words = (*SPECIAL, *FRUIT, *TOOLS, *REST, "[MASK]")
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(words)}, unk_token=SPECIAL[1]))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=128,  # more than the words, so that the embeddings are worth compressing
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=64,
    )
    transformers.BertModel(config).save_pretrained(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def sentences(count: int) -> list[tuple[str, str]]:
    """Different texts with their labels: what stands there is fruit or a tool."""
    found: list[tuple[str, str]] = []
    for number in range(count):
        kind, things = (("fruit", FRUIT), ("tool", TOOLS))[number % 2]
        rest = [REST[(number // 8 ** (place + 1)) % 8] for place in range(3)]
        found.append((" ".join([rest[0], things[number // 2 % 4], *rest[1:]]), kind))
    return found
