"""A classifier in memory: what it says of a text, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError
from edgewise.domain.labels import Said
from edgewise.upstreams.classifier.manifest import read_manifest
from edgewise.upstreams.classifier.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgewise.upstreams.classifier.manifest import ClassifierManifest


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
        found = bundle.logits([""]).shape[1:]
        if found != (len(manifest.labels),):
            columns = " by ".join(map(str, found)) or "no"
            raise BundleError(
                f"{folder / manifest.model} has {columns} columns for {len(manifest.labels)} labels; "
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
        return self.said(self.runtime.tokens(texts)) if texts else []

    def said(self, tokens: Sequence[Sequence[int]]) -> list[Said]:
        """The same of texts that were tokenised already."""
        labels, logits = self.manifest.labels, self.runtime.logits(tokens)
        best: list[int] = logits.argmax(axis=1).tolist()
        shares = softmax(logits, self.manifest.temperature).tolist()
        strange = strangeness(logits).tolist()
        if not all(map(isfinite, strange)):
            raise BundleError(
                "The classifier's model gives logits that are no numbers; distill or copy anew."
            )
        return [
            Said(labels[first], dict(zip(labels, row, strict=True)), score)
            for first, row, score in zip(best, shares, strange, strict=True)
        ]


def strangeness(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) negative energies: -ln Σ exp(logit), as low as the classifier feels at home (Liu et al., 2020)."""
    import numpy as np  # noqa: PLC0415 - an extra, and loaded by now

    wide = logits.astype(np.float64)
    largest = wide.max(axis=1)
    energies: NDArray[np.float64] = largest + np.log(np.exp(wide - largest[:, None]).sum(axis=1))
    return -energies


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """(n, labels) probabilities of logits divided by a temperature."""
    import numpy as np  # noqa: PLC0415 - an extra, and loaded by now

    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    raised: NDArray[np.float64] = np.exp(scaled)
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares
