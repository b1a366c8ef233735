"""ONNX → a smaller ONNX: one function a recipe."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.learning.distill.base import library

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

BLOCK = 64
FAST = 4  # onnxruntime multiplies four-bit weights with eight-bit activations


def int8(source: Path, target: Path) -> None:
    """Eight-bit weights, a scale for each channel: one scale a tensor costs seven points of accuracy."""
    quantization: Any = library("onnxruntime.quantization")
    with _quietly():
        quantization.quantize_dynamic(
            str(source), str(target), per_channel=True, weight_type=quantization.QuantType.QInt8
        )


def int4(source: Path, target: Path) -> None:
    """Four-bit weights in blocks of 64, of the matrices and of the embeddings."""
    quantization: Any = library("onnxruntime.quantization.matmul_nbits_quantizer")
    model = library("onnx").load(str(source))
    with _quietly():
        quantizer = quantization.MatMulNBitsQuantizer(
            model,
            block_size=BLOCK,
            is_symmetric=True,
            accuracy_level=FAST,
            op_types_to_quantize=("MatMul", "Gather"),
        )
        quantizer.process()
        quantizer.model.save_model_to_file(str(target), False)  # noqa: FBT003 - a positional of theirs


RECIPES: Mapping[str, Callable[[Path, Path], None]] = {"int8": int8, "int4": int4}
"""Each way to make a model smaller, by name."""


@contextmanager
def _quietly() -> Generator[None]:
    """Without the libraries' advice on standard error, which nobody here can follow.

    A block of nothing but zeros is divided by its scale, zero, and set right by the library afterwards.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with np.errstate(invalid="ignore"):
            yield
    finally:
        logging.disable(before)
