"""Torch → ONNX, and the proof that both say the same."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.domain.errors import BundleError
from edgewise.learning.distill.base import library
from edgewise.learning.distill.finetune import logits_of
from edgewise.learning.distill.network import load, padded, torch
from edgewise.upstreams.classifier.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OPSET = 17
TOLERANCE = 1e-3  # of a logit; float32 in another order gives about 1e-5
PARITY_TEXTS = 64


def export(
    trained: Path, labels: int, most_tokens: int, texts: Sequence[str], folder: Path
) -> dict[str, Any]:
    """Write `model.onnx` and check it against the trained network on these texts and an empty one.

    Raises `BundleError` where a logit differs by more than `TOLERANCE`: then nothing is to be built on it.
    """
    return proven(load(trained, labels), trained / "tokenizer.json", most_tokens, texts, folder)


def proven(
    network: Any, tokenizer: Path, most_tokens: int, texts: Sequence[str], folder: Path
) -> dict[str, Any]:
    """The same of a network in memory."""
    library("onnx")  # said here, before minutes are spent
    network.eval()
    target = folder / "model.onnx"
    _trace(network, target)
    runtime = Runtime(target, tokenizer, most_tokens)
    tokens = runtime.tokens([*texts[:PARITY_TEXTS], "", " ".join(texts)])
    expected = logits_of(network, tokens).numpy()
    apart = float(np.abs(runtime.logits(tokens) - expected).max())
    if not apart <= TOLERANCE:
        raise BundleError(
            f"The exported model differs from the trained one by {apart:.2g} in a logit, more than "
            f"{TOLERANCE:g}; try other versions of torch, transformers and onnxruntime."
        )
    return {"parity": apart, "texts": len(tokens), "opset": OPSET}


def _trace(network: Any, target: Path) -> None:
    ids, mask = padded([[1, 2, 3, 4, 5], [1, 2, 3]])
    axes = {0: "n", 1: "t"}
    with warnings.catch_warnings():
        # The exporter that traces is called legacy; the newer one writes shapes that break the quantisers.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (ids, mask),
            str(target),
            dynamo=False,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "n"}},
        )
