"""ONNX → a smaller ONNX: one function a way to write weights with fewer bits."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.learning.distill.base import library
from edgewise.learning.distill.nibbles import OPSET, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK = 64


def int8(source: Path, target: Path) -> None:
    """Eight-bit weights, a scale for each channel: one scale a tensor costs seven points of accuracy."""
    with _quietly():
        _by_channel(str(source), target)


def int4(source: Path, target: Path) -> None:
    """Four-bit weights: matrices in blocks of 32, multiplied at eight bits; embeddings in blocks of 64.

    Half the bytes of `int8` at its speed.
    """
    onnx = library("onnx")
    quantisers: Any = library("onnxruntime.quantization.matmul_nbits_quantizer")
    model = library("onnx.version_converter").convert_version(onnx.load(str(source)), OPSET)
    weights = _factors(model)
    with _quietly():
        embeddings = quantisers.MatMulNBitsQuantizer(
            model, block_size=BLOCK, is_symmetric=True, op_types_to_quantize=("Gather",)
        )
        embeddings.process()
        _by_channel(embeddings.model.model, target)
    model = onnx.load(str(target))
    pack(model, weights)
    onnx.save(model, str(target))


RECIPES: Mapping[str, Callable[[Path, Path], None]] = {"int8": int8, "int4": int4}
"""Each way to write weights, by name."""


def _factors(model: Any) -> dict[str, NDArray[np.float32]]:
    """The constant right sides of matrix products, by name; a linear head is another operation, and small."""
    numbers = library("onnx.numpy_helper")
    right = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    return {one.name: numbers.to_array(one) for one in model.graph.initializer if one.name in right}


def _by_channel(source: Any, target: Path) -> None:
    quantization: Any = library("onnxruntime.quantization")
    quantization.quantize_dynamic(
        source,
        str(target),
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        # What four-bit embeddings give is not known to the inference of shapes and types.
        extra_options={"DefaultTensorType": library("onnx").TensorProto.FLOAT},
    )


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
