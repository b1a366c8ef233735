"""What a bundle is worth: accuracy with its interval, macro-F1, calibration, agreement, size and time."""

from __future__ import annotations

import math
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from edgewise.domain.intervals import wilson
from edgewise.upstreams.classifier.bundle import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewise.upstreams.classifier.runtime import Runtime

    Logits = NDArray[np.float32]
    Labels = NDArray[np.int64]

BINS = 15
TEMPERATURES = (0.05, 20.0)
NARROW = 1e-4  # of a logarithm, where the search ends
GOLDEN = (math.sqrt(5) - 1) / 2
TIMED = 100  # texts


def accuracy(logits: Logits, labels: Labels) -> float:
    """Share of texts whose likeliest label is right."""
    return float((logits.argmax(1) == labels).mean())


def paired_error(small: Logits, full: Logits, labels: Labels) -> float:
    """The standard error of the difference between two models' accuracies on the same texts."""
    apart = (small.argmax(1) == labels).astype(float) - (full.argmax(1) == labels)
    return round(float(apart.std() / math.sqrt(len(labels))), 6)


def macro_f1(found: Labels, labels: Labels) -> float:
    """The mean F1 over the labels that occur, each counting the same."""
    scores: list[float] = []
    for label in np.unique(labels):
        right = int(((found == label) & (labels == label)).sum())
        scores.append(2 * right / int((found == label).sum() + (labels == label).sum()))
    return float(np.mean(scores))


def calibration_error(probabilities: NDArray[np.float64], labels: Labels) -> float:
    """Mean gap between confidence and accuracy over 15 bins of even width, weighted by their texts.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    held = reliability(probabilities, labels)
    return sum(abs(b.confidence - b.accuracy) * b.texts for b in held) / len(labels)


class Bin(Struct, frozen=True):
    """Texts of like confidence: how sure it was of them on average, and how often it was right."""

    confidence: float
    accuracy: float
    texts: int


def reliability(probabilities: NDArray[np.float64], labels: Labels) -> tuple[Bin, ...]:
    """The bins of `calibration_error` that hold texts, least sure first."""
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    held = [bins == number for number in range(BINS)]
    return tuple(
        Bin(round(float(sure[b].mean()), 6), round(float(right[b].mean()), 6), int(b.sum()))
        for b in held
        if b.any()
    )


def fitted_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature of least negative log-likelihood, by golden section; the loss has one minimum.

    Source: Guo et al., 2017 (temperature scaling). Where every text is right, sharper is always better: the
    search ends at .05.
    """

    def loss(log_temperature: float) -> float:
        chosen = softmax(logits, math.exp(log_temperature))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    low, high = (math.log(bound) for bound in TEMPERATURES)
    while high - low > NARROW:
        inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, outer) if loss(inner) <= loss(outer) else (inner, high)
    return math.exp((low + high) / 2)


def cpu_ms(runtime: Runtime, texts: Sequence[str]) -> dict[str, float]:
    """CPU milliseconds a text, tokenising included, one text at a time at its true length: mean, p50, p95."""
    chosen = texts[:TIMED]
    runtime.logits(runtime.tokens(chosen[:3]))  # the first calls allocate
    taken: list[float] = []
    for text in chosen:
        began = process_time()
        runtime.logits(runtime.tokens([text]))
        taken.append((process_time() - began) * 1e3)
    p50, p95 = np.percentile(taken, [50, 95])
    return {"mean": round(float(np.mean(taken)), 3), "p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def figures(logits: Logits, labels: Labels, temperature: float, full: Logits) -> dict[str, Any]:
    """Quality on one part; `full` are the uncompressed model's logits on the same texts."""
    share = accuracy(logits, labels)
    low, high = wilson(share, len(labels))
    found: dict[str, Any] = {
        "texts": len(labels),
        "accuracy": share,
        "low": low,
        "high": high,
        "macro_f1": macro_f1(logits.argmax(1), labels),
        "calibration_error": calibration_error(softmax(logits, temperature), labels),
        "agreement": float((logits.argmax(1) == full.argmax(1)).mean()),
    }
    return {name: value if isinstance(value, int) else round(value, 6) for name, value in found.items()}
