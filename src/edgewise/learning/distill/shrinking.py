"""A trained network with parts left out: rows of its vocabulary, and layers."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from edgewise.learning.distill.network import TextClassifier, torch, transformers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAYER = re.compile(r"(.*\blayers?\.)(\d+)(\..*)")
POSITIONS = "position_embeddings.weight"


def with_vocabulary(network: TextClassifier, kept: Sequence[int], most_tokens: int) -> TextClassifier:
    """The same network for a vocabulary of these rows, and of a BERT no more positions than are read."""
    config, state = deepcopy(network.backbone.config), dict(network.state_dict())
    rows = next(
        f"{name}.weight"
        for name, module in network.named_modules()
        if module is network.backbone.get_input_embeddings()
    )
    state[rows] = state[rows][torch.tensor(kept)]
    config.vocab_size = len(kept)
    if config.pad_token_id is not None:
        config.pad_token_id = kept.index(config.pad_token_id)
    if config.model_type == "bert":  # others count positions from another number than 0
        config.max_position_embeddings = min(most_tokens, config.max_position_embeddings)
        for name in [name for name in state if name.endswith(POSITIONS)]:
            state[name] = state[name][: config.max_position_embeddings]
    return _rebuilt(network, config, state)


def with_layers(network: TextClassifier, count: int) -> TextClassifier:
    """The same network with this many of its layers, evenly spaced, the first and the last among them."""
    config = deepcopy(network.backbone.config)
    chosen = spaced(config.num_hidden_layers, count)
    state: dict[str, Any] = {}
    for name, value in network.state_dict().items():
        found = LAYER.fullmatch(name)
        if found is None:
            state[name] = value
        elif int(found[2]) in chosen:
            state[f"{found[1]}{chosen.index(int(found[2]))}{found[3]}"] = value
    config.num_hidden_layers = count
    return _rebuilt(network, config, state)


def spaced(layers: int, count: int) -> list[int]:
    """Which of so many layers stay: the first, the last, and others as evenly between as can be."""
    return [round(place * (layers - 1) / max(1, count - 1)) for place in range(count)]


def _rebuilt(network: TextClassifier, config: Any, state: Mapping[str, Any]) -> TextClassifier:
    backbone = transformers.AutoModel.from_config(config, attn_implementation="eager")
    made = TextClassifier(backbone, network.head.out_features)
    made.load_state_dict({name: value.clone() for name, value in state.items()})
    made.eval()
    return made
