from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.intervals import wilson
from edgewise.learning.distill.measuring import (
    accuracy,
    calibration_error,
    figures,
    fitted_temperature,
    macro_f1,
)
from edgewise.upstreams.classifier.bundle import softmax


def drawn(temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose truth was drawn from their own softmax at a known temperature."""
    lots = np.random.default_rng(seed)
    logits = lots.normal(0, 3, (20_000, 4)).astype(np.float32)
    shares = softmax(logits, temperature).cumsum(1)
    return logits, (lots.random((20_000, 1)) > shares).sum(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    logits, labels = drawn(temperature)
    found = fitted_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    assert calibration_error(softmax(logits, found), labels) < 0.015
    assert calibration_error(softmax(logits, found * 3), labels) > 0.05


def test_macro_f1_counts_every_label_the_same() -> None:
    labels, found = np.array([0] * 98 + [1, 1]), np.zeros(100, np.int64)
    assert macro_f1(found, labels) == pytest.approx((2 * 98 / (100 + 98) + 0) / 2)
    assert macro_f1(labels, labels) == 1.0


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_wilsons_interval_lies_around_the_share(count: int, share: float) -> None:
    share = round(share * count) / count
    low, high = wilson(share, count)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    assert wilson(share, count * 100)[1] - wilson(share, count * 100)[0] < high - low


def test_wilsons_interval_as_published() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_figures_say_agreement_beside_accuracy() -> None:
    full = np.array([[2, 0], [0, 2], [2, 0], [0, 2]], np.float32)
    small = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    labels = np.array([0, 1, 1, 0])
    found = figures(small, labels, 1.0, full)
    assert (accuracy(full, labels), found["accuracy"], found["agreement"]) == (0.5, 0.75, 0.75)
    assert found["texts"] == 4
