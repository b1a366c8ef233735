"""The classifier as torch sees it: a backbone, the mean of its last layer over the tokens, a linear head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewise.learning.distill.base import library

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

torch = library("torch")
transformers = library("transformers")
transformers.utils.logging.disable_progress_bar()  # bars are no lines, and tear those that are
Module: Any = torch.nn.Module


class TextClassifier(Module):
    """Token ids and mask, (n, t) each → logits, (n, labels)."""

    def __init__(self, backbone: Any, labels: int) -> None:
        Module.__init__(self)
        self.backbone = backbone
        self.head = torch.nn.Linear(backbone.config.hidden_size, labels)
        self.dropout = torch.nn.Dropout(0.1)

    def vectors(self, input_ids: Any, attention_mask: Any) -> Any:
        """(n, hidden) means over the tokens that the mask keeps."""
        return self.pooled(self.hidden(input_ids, attention_mask), attention_mask)

    def hidden(self, input_ids: Any, attention_mask: Any) -> Any:
        """(n, t, hidden): the last layer."""
        return self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    def pooled(self, hidden: Any, attention_mask: Any) -> Any:
        """(n, hidden) of a last layer."""
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        """What torch calls."""
        return self.head(self.dropout(self.vectors(input_ids, attention_mask)))


def fresh(base: str, labels: int) -> TextClassifier:
    """A backbone as it was trained, under a head that knows nothing; eager attention, as exporting needs."""
    return TextClassifier(backbone_of(base), labels)


def backbone_of(base: str) -> Any:
    """The base model as it was trained, without any head."""
    return transformers.AutoModel.from_pretrained(base, attn_implementation="eager")


def save(network: TextClassifier, folder: Path) -> None:
    """Write configuration and weights, without pickle."""
    network.backbone.config.to_json_file(str(folder / "config.json"))
    weights = {name: value.contiguous().clone() for name, value in network.state_dict().items()}
    library("safetensors.torch").save_file(weights, str(folder / "model.safetensors"))


def load(folder: Path, labels: int) -> TextClassifier:
    """Read what `save` wrote."""
    config = transformers.AutoConfig.from_pretrained(str(folder))
    network = TextClassifier(transformers.AutoModel.from_config(config, attn_implementation="eager"), labels)
    network.load_state_dict(library("safetensors.torch").load_file(str(folder / "model.safetensors")))
    return network


def padded(tokens: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Ids and mask of one batch, (n, longest) each."""
    longest = max(map(len, tokens))
    ids = torch.zeros((len(tokens), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask
