"""Matrices at four bits on disk that are multiplied at eight: unpacked once, while the graph is loaded.

onnxruntime's own product with four-bit weights (`MatMulNBits`) costs half as much again as its product of
eight-bit ones. So weights are stored as four-bit numbers in blocks, each block with a scale of eight bits,
and the graph itself says how they become the eight-bit matrix of a channel-wise product. All of its inputs
are constants: onnxruntime computes that matrix when the model is loaded, and never again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.learning.distill.base import library

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

BLOCK = 32
OPSET = 21  # the first one that knows four-bit numbers
LOWEST, HIGHEST = -8, 7
FINEST = 127  # a block's scale in units of its channel's finest one
SHARES = (0.7, 0.725, 0.75, 0.775, 0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95, 0.975, 1.0)
"""Of the scale under which a block's largest weight is the highest number: each one is tried."""
QUANTISED, SCALE = "_quantized", "_scale"  # how onnxruntime's quantiser names what it makes of NAME
EIGHT, ZERO = "nibbles.eight", "nibbles.zero"


def fitted(weights: Matrix) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.float32]]:
    """(k, n) weights → nibbles (k / 32, 32, n), block scales (k / 32, 1, n) and channel units (n,).

    A weight is about nibble x scale x unit. Of the scales tried each block takes the one of least squared
    error; k is a multiple of 32.
    """
    rows, columns = weights.shape
    blocks: Matrix = weights.reshape(rows // BLOCK, BLOCK, columns)
    widest: Matrix = np.abs(blocks).max(1, keepdims=True)
    units: Matrix = np.maximum(widest.max((0, 1)) / HIGHEST / FINEST, np.finfo(np.float32).tiny)
    best: Matrix = np.full(widest.shape, np.inf, np.float32)
    scales: Matrix = np.ones(widest.shape, np.float32)
    nibbles: Matrix = np.zeros(blocks.shape, np.float32)
    for share in SHARES:
        tried: Matrix = np.clip(np.round(share * widest / HIGHEST / units), 1, FINEST).astype(np.float32)
        found: Matrix = np.clip(np.round(blocks / (tried * units)), LOWEST, HIGHEST).astype(np.float32)
        error: Matrix = ((found * tried * units - blocks) ** 2).sum(1, keepdims=True)
        better: NDArray[np.bool_] = error < best
        np.copyto(best, error, where=better)
        np.copyto(scales, tried, where=better)
        np.copyto(nibbles, found, where=better)
    return nibbles.astype(np.int8), scales.astype(np.int8), units.astype(np.float32)


def pack(model: Any, weights: Mapping[str, Matrix]) -> None:
    """In a graph quantised to eight bits by channel, store the matrices of these names at four.

    The graph is of opset 21 at least. `weights` are the matrices before quantisation, by their names then;
    one whose height is no multiple of a block stays as it is.
    """
    helper, numbers = library("onnx.helper"), library("onnx.numpy_helper")
    graph, kinds = model.graph, library("onnx").TensorProto
    stored = {one.name: one for one in graph.initializer}
    steps: list[Any] = []
    for name, matrix in weights.items():
        eight = stored.get(name + QUANTISED)
        if eight is None or matrix.ndim != 2 or matrix.shape[0] % BLOCK:  # noqa: PLR2004 - a matrix
            continue
        scale = stored[name + SCALE]
        nibbles, scales, units = fitted(matrix)
        graph.initializer.remove(eight)
        graph.initializer.remove(scale)
        four, by = f"{name}.four", f"{name}.scales"
        shape = f"{name}.shape"
        graph.initializer.extend(
            [
                helper.make_tensor(four, kinds.INT4, nibbles.shape, _halved(nibbles), raw=True),
                numbers.from_array(scales, by),
                numbers.from_array(np.array(matrix.shape, np.int64), shape),
                # A nibble times a scale is at most 8 x 127: an eighth of it fits eight bits.
                numbers.from_array((units * 8).reshape(tuple(scale.dims)), scale.name),
            ]
        )
        steps += [
            helper.make_node("Cast", [four], [f"{four}.wide"], to=kinds.FLOAT),
            helper.make_node("Cast", [by], [f"{by}.wide"], to=kinds.FLOAT),
            helper.make_node("Mul", [f"{four}.wide", f"{by}.wide"], [f"{name}.product"]),
            helper.make_node("QuantizeLinear", [f"{name}.product", EIGHT, ZERO], [f"{name}.eight"]),
            helper.make_node("Reshape", [f"{name}.eight", shape], [eight.name]),
        ]
    if not steps:
        return
    graph.initializer.append(numbers.from_array(np.array(8, np.float32), EIGHT))
    graph.initializer.append(numbers.from_array(np.array(0, np.int8), ZERO))
    nodes = [*steps, *graph.node]  # in the order in which they can be computed
    del graph.node[:]
    graph.node.extend(nodes)


def _halved(nibbles: NDArray[np.int8]) -> bytes:
    """Two to a byte, the first one low."""
    flat = nibbles.ravel().astype(np.uint8) & np.uint8(15)
    return (flat[0::2] | (flat[1::2] << np.uint8(4))).tobytes()
