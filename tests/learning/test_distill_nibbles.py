from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.learning.distill.nibbles import BLOCK, fitted


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.floats(1e-3, 1e3))
def test_a_weight_is_found_again_within_its_blocks_step(
    seed: int, blocks: int, columns: int, scale: float
) -> None:
    weights = np.random.default_rng(seed).normal(0, scale, (blocks * BLOCK, columns)).astype(np.float32)
    nibbles, scales, units = fitted(weights)
    assert nibbles.min() >= -8
    assert nibbles.max() <= 7
    assert scales.min() >= 1
    again = (nibbles * scales.astype(np.float32) * units).reshape(weights.shape)
    widest = np.abs(weights).reshape(blocks, BLOCK, columns).max(1)
    worst = np.abs(weights - again).reshape(blocks, BLOCK, columns).max(1)
    # Half a step, or what the narrowest scale tried cuts off, or a scale's own rounding.
    assert (worst <= 0.27 * widest + 8 * units).all()
    error = np.sqrt(((weights - again) ** 2).mean() / (weights**2).mean())
    assert error < 0.12


def test_a_block_of_nothing_stays_nothing() -> None:
    weights = np.zeros((BLOCK * 2, 3), np.float32)
    weights[BLOCK:, 1] = 1
    nibbles, scales, units = fitted(weights)
    again = (nibbles * scales.astype(np.float32) * units).reshape(weights.shape)
    assert np.allclose(again, weights, atol=0.02)
    assert not again[:BLOCK].any()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A graph of one product, and its weights."""
    pytest.importorskip("onnx", reason="needs the extra `distill`")
    helper, numbers, onnx = (import_module(f"onnx{name}") for name in (".helper", ".numpy_helper", ""))
    weights = np.random.default_rng(1).normal(0, 1, (256, 96)).astype(np.float32)
    table = np.random.default_rng(2).normal(0, 1, (50, 256)).astype(np.float32)
    kinds = onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "rows"], ["x"]), helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("rows", kinds.INT64, ["n"])],
        [helper.make_tensor_value_info("y", kinds.FLOAT, ["n", 96])],
        [numbers.from_array(weights, "w"), numbers.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    path = tmp_path_factory.mktemp("product") / "model.onnx"
    onnx.save(model, str(path))
    return path, table @ weights


def run(path: Path) -> Any:
    runtime: Any = import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"rows": np.arange(50)})[0]


def test_four_bits_take_half_the_bytes_of_eight_and_say_about_the_same(
    product: tuple[Path, np.ndarray],
) -> None:
    from edgewise.learning.distill.compressing import int4, int8  # noqa: PLC0415 - needs the extra

    full, expected = product
    sizes: dict[str, int] = {}
    for recipe, most in ((int8, 0.03), (int4, 0.16)):
        small = full.with_name(f"{recipe.__name__}.onnx")
        recipe(full, small)
        apart = np.linalg.norm(run(small) - expected) / np.linalg.norm(expected)
        assert apart < most
        assert apart > 0
        sizes[recipe.__name__] = small.stat().st_size
    assert sizes["int8"] < full.stat().st_size / 3
    assert sizes["int4"] < sizes["int8"] * 0.65


def test_what_is_unpacked_is_a_constant_once_loaded(product: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    from edgewise.learning.distill.compressing import int4  # noqa: PLC0415 - needs the extra

    int4(product[0], tmp_path / "small.onnx")
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    options.log_severity_level = 3
    runtime.InferenceSession(str(tmp_path / "small.onnx"), options, providers=["CPUExecutionProvider"])
    onnx: Any = import_module("onnx")
    left = {node.op_type for node in onnx.load(str(tmp_path / "loaded.onnx")).graph.node}
    assert not left & {"QuantizeLinear", "Cast", "Round", "Reshape"}
    assert any(name.startswith(("MatMulInteger", "DynamicQuantizeMatMul")) for name in left)
