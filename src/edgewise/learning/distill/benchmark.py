"""Every bundle of a distillation on this machine: quality in detail, time, memory, energy."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from edgewise.learning.distill.alone import Alone, alone
from edgewise.learning.distill.machine import Machine, machine
from edgewise.learning.distill.measuring import Bin, reliability
from edgewise.upstreams.classifier import ClassifierBundle
from edgewise.upstreams.classifier.bundle import softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.learning.distill.labelled import LabelledTable

FILE = "benchmark.json"


class LabelScore(Struct, frozen=True):
    """One label on the test part: how many texts have it, and what becomes of them.

    `mistaken_for` is what its texts are taken for most often where they are not recognised, `mistaken` how
    often that was.
    """

    label: str
    texts: int
    precision: float
    recall: float
    f1: float
    mistaken_for: str | None = None
    mistaken: int = 0


class BundleFigures(Struct, frozen=True):
    """One bundle. `energy_mj` is an estimate, millijoules a text: CPU time at true length, by the watts."""

    alone: Alone
    energy_mj: float
    reliability: tuple[Bin, ...]
    labels: tuple[LabelScore, ...]


class Benchmark(Struct, frozen=True):
    """All of them, on one machine, on one day. `watts` is what one busy core is taken to draw."""

    at: str
    machine: Machine
    watts: float
    bundles: dict[str, BundleFigures]


def benchmark(
    folders: Mapping[str, Path],
    test: LabelledTable,
    watts: float,
    place: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Measure each bundle by its recipe, on the test part; writes `benchmark.json`, gives back the same.

    Raises `BundleError`.
    """
    found: dict[str, BundleFigures] = {}
    for name, folder in folders.items():
        found[name] = figures_of(ClassifierBundle.load(folder), folder, test, watts)
        pace, padded = found[name].alone.true_length, found[name].alone.padded
        say(
            f"benchmark, {name}: {pace.cpu_ms.mean:.1f} CPU-ms a text of {pace.tokens:.0f} tokens, "
            f"{padded.cpu_ms.mean:.1f} padded to {padded.tokens:.0f}, {found[name].alone.rss_mb:.0f} MB"
        )
    whole = Benchmark(datetime.now(UTC).date().isoformat(), machine(), watts, found)
    (place / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    said: dict[str, Any] = msgspec.to_builtins(whole)
    return said


def figures_of(bundle: ClassifierBundle, folder: Path, test: LabelledTable, watts: float) -> BundleFigures:
    """One bundle's figures. Blocks for seconds."""
    names = bundle.manifest.labels
    column = {name: number for number, name in enumerate(names)}
    labels = np.array([column[label] for label in test.labels])
    logits = bundle.logits(test.texts)
    measured = alone(folder, test.texts)
    return BundleFigures(
        measured,
        round(measured.true_length.cpu_ms.mean * watts, 3),
        reliability(softmax(logits, bundle.manifest.temperature), labels),
        label_scores(logits.argmax(1), labels, names),
    )


def label_scores(
    found: NDArray[np.int64], labels: NDArray[np.int64], names: Sequence[str]
) -> tuple[LabelScore, ...]:
    """The score of each label that occurs, worst F1 first."""
    scores: list[LabelScore] = []
    for label in sorted({int(each) for each in labels}):
        mine, said = labels == label, found == label
        right = int((mine & said).sum())
        wrong = Counter(int(each) for each in found[mine & ~said]).most_common(1)
        scores.append(
            LabelScore(
                names[label],
                int(mine.sum()),
                round(right / max(1, int(said.sum())), 4),
                round(right / int(mine.sum()), 4),
                round(2 * right / int(mine.sum() + said.sum()), 4),
                names[wrong[0][0]] if wrong else None,
                wrong[0][1] if wrong else 0,
            )
        )
    return tuple(sorted(scores, key=lambda score: (score.f1, score.label)))
