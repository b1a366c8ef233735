"""A classifier in memory: what it says of a text, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError
from edgewise.upstreams.classifier.manifest import read_manifest
from edgewise.upstreams.classifier.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgewise.upstreams.classifier.manifest import ClassifierManifest


@dataclass(frozen=True, slots=True)
class Said:
    """What a classifier says of one text: the likeliest label, and each label's calibrated probability."""

    label: str
    probabilities: dict[str, float]

    @property
    def confidence(self) -> float:
        """The probability of the label it says."""
        return self.probabilities[self.label]

    def top(self, k: int) -> dict[str, float]:
        """The k likeliest labels, likeliest first; all of them where k is 0."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])
        return dict(ranked[:k] if k else ranked)


@dataclass(frozen=True, slots=True)
class ClassifierBundle:
    """A bundle from disk, every file's hash checked, ready to run."""

    manifest: ClassifierManifest
    runtime: Runtime

    @classmethod
    def load(cls, folder: Path) -> ClassifierBundle:
        """Read a bundle; raises `BundleError`, and `MissingExtra` without the extra "classify"."""
        manifest = read_manifest(folder)
        runtime = Runtime(folder / manifest.model, folder / manifest.tokenizer, manifest.most_tokens)
        bundle = cls(manifest, runtime)
        found = bundle.logits([""]).shape[1]
        if found != len(manifest.labels):
            raise BundleError(
                f"{folder / manifest.model} has {found} columns for {len(manifest.labels)} labels; "
                "distill or copy anew."
            )
        return bundle

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, labels) as the graph gives them, uncalibrated. Blocks the thread."""
        return self.runtime.logits(self.runtime.tokens(texts))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(n, labels), each row summing to 1, calibrated by the manifest's temperature."""
        return softmax(self.logits(texts), self.manifest.temperature)

    def classify(self, texts: Sequence[str]) -> list[Said]:
        """What it says of each text, in their order. Blocks the thread."""
        labels = self.manifest.labels
        if not texts:
            return []
        return [
            Said(labels[int(row.argmax())], dict(zip(labels, row.tolist(), strict=True)))
            for row in self.probabilities(texts)
        ]


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """(n, labels) probabilities of logits divided by a temperature."""
    import numpy as np  # noqa: PLC0415 - an extra, and loaded by now

    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    raised: NDArray[np.float64] = np.exp(scaled)
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares
