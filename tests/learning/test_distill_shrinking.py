from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.learning.tiny_base import tiny_base

pytest.importorskip("torch", reason="needs the extra `distill`")
pytest.importorskip("transformers", reason="needs the extra `distill`")

from edgewise.learning.distill.network import TextClassifier, fresh, padded
from edgewise.learning.distill.shrinking import spaced, with_layers, with_vocabulary
from edgewise.learning.distill.teaching import exchanged

torch: Any = import_module("torch")
pytestmark = pytest.mark.filterwarnings("default")  # torch and its kin warn about themselves


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    made = fresh(str(tiny_base(tmp_path_factory.mktemp("base"))), 3)
    made.eval()
    return made


def test_a_cut_network_says_the_same_of_the_tokens_it_kept(network: TextClassifier, tmp_path: Path) -> None:
    kept = (0, 1, 2, 3, 7, 9, 40, 100)
    small = with_vocabulary(network, kept, 16)
    assert small.backbone.get_input_embeddings().weight.shape == (8, 64)
    assert small.backbone.config.max_position_embeddings == 16
    new = [[2, 4, 6, 7, 3], [2, 5, 3]]
    with torch.no_grad():
        there = network(*padded([[kept[token] for token in ids] for ids in new]))
        here = small(*padded(new))
    assert torch.allclose(here, there, atol=1e-6)


def test_a_shallow_network_has_the_layers_that_stay(network: TextClassifier) -> None:
    small = with_layers(network, 1)
    assert small.backbone.config.num_hidden_layers == 1
    layers = [name for name in small.state_dict() if ".layer." in name]
    assert layers
    assert all(torch.equal(small.state_dict()[name], network.state_dict()[name]) for name in layers)
    assert with_layers(network, 2).state_dict().keys() == network.state_dict().keys()


def test_the_first_and_the_last_layer_stay() -> None:
    assert [spaced(6, count) for count in (1, 2, 3, 4, 6)] == [
        [0],
        [0, 5],
        [0, 2, 5],
        [0, 2, 3, 5],
        [0, 1, 2, 3, 4, 5],
    ]


def test_exchanged_texts_keep_length_and_markers_and_change_the_share_asked_for() -> None:
    texts = [[2, *range(10 + row, 40 + row), 3] for row in range(200)] + [[2, 3]]
    found = exchanged(texts, 0.2, 7)
    assert [len(ids) for ids in found] == [len(ids) for ids in texts]
    assert all((ids[0], ids[-1]) == (2, 3) for ids in found)
    changed = sum(
        a != b for one, two in zip(texts, found, strict=True) for a, b in zip(one, two, strict=True)
    )
    assert 0.15 < changed / (200 * 30) < 0.22
    assert found == exchanged(texts, 0.2, 7) != exchanged(texts, 0.2, 8)
