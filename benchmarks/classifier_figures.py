"""What classifiers are worth on a test part: accuracy, size, time, deferral, scope and promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgewise.domain.intervals import wilson
from edgewise.learning.cascade.fitting import Guard, Held, answers, fitted
from edgewise.learning.cascade.scope import KINDS, separation, threshold_for
from edgewise.learning.cascade.thresholds import Answers, ladder, most_kept, proven
from edgewise.learning.distill.labelled import read_held_out, read_labelled
from edgewise.learning.distill.measuring import cpu_ms
from edgewise.learning.distill.parts import parted
from edgewise.learning.evaluate.bootstrap import Bootstrap
from edgewise.policies.cascade.placing import strangeness
from edgewise.upstreams.classifier import ClassifierBundle

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.domain.labels import Said

FULL = "fp32"
KEPT_ACCURACY = 0.991
LEAST_SMALLER = 0.95  # of the smallest student's row
LOSS = 0.009
PROMISE, CONFIDENCE = 0.01, 0.95
SPLITS = 200
SHARES = (0.0, 0.02, 0.051, 0.1, 0.2, 0.3, 0.5)
SEED = 0

Floats = NDArray[np.float64]


class Heard:
    """Every bundle's answers to the same texts, each asked once."""

    def __init__(
        self, bundles: dict[str, ClassifierBundle], texts: tuple[str, ...], labels: tuple[str, ...]
    ) -> None:
        self.texts, self.labels = texts, labels
        self.said: dict[str, list[Said]] = {name: one.classify(texts) for name, one in bundles.items()}

    def beside(self, edge: str, cloud: str = FULL) -> Held:
        """An edge and a cloud on these texts."""
        return Held(self.texts, self.labels, self.said[edge], [said.label for said in self.said[cloud]])

    def accuracy(self, name: str) -> dict[str, float]:
        """With its 95 % interval."""
        right = float(self.beside(name).edge_right.mean())
        low, high = wilson(right, len(self.texts))
        return {"mean": right, "low": low, "high": high, "texts": len(self.texts)}


def banking(data: Path, folder: Path) -> dict[str, Any]:
    """Every figure of banking77."""
    train = read_labelled(data / "banking77/train.csv", "text", "category")
    held_out = read_held_out(data / "banking77/test.csv", train, "text", "category")
    parts = parted(train, held_out)
    bundles = opened(folder)
    validation = Heard(bundles, parts.validation.texts, parts.validation.labels)
    test = Heard(bundles, parts.test.texts, parts.test.labels)
    sizes = {name: (folder / "stages" / name / "model.onnx").stat().st_size for name in bundles}
    least = KEPT_ACCURACY * validation.accuracy(FULL)["mean"]
    ranked = sorted(bundles, key=lambda name: sizes[name])
    chosen = next(name for name in ranked if name == FULL or validation.accuracy(name)["mean"] >= least)
    student = _student(ranked, sizes, validation)
    timed = cpu_side_by_side(bundles, test.texts)
    return {
        "chosen": chosen,
        "student": student,
        "split": {"train": len(parts.train.texts), "validation": len(parts.validation.texts)},
        "bundles": {
            name: {
                "bytes": sizes[name],
                "smaller": 1 - sizes[name] / sizes[FULL],
                "accuracy": test.accuracy(name),
                "validation": validation.accuracy(name)["mean"],
                "agreement": 1.0 - float(test.beside(name).apart.mean()),
                "cpu_ms": timed[name],
            }
            for name in bundles
        },
        "kept_accuracy": ratio(test, chosen),
        "cascades": {name: cascade(validation, test, name) for name in dict.fromkeys((chosen, *student))},
        "splits": {name: many_splits(validation, test, name) for name in dict.fromkeys((chosen, *student))},
    }


def _student(ranked: list[str], sizes: dict[str, int], validation: Heard) -> list[str]:
    """Those that are 95 % smaller, the most accurate one on the validation part; none where there is none."""
    small = [name for name in ranked if sizes[name] <= (1 - LEAST_SMALLER) * sizes[FULL]]
    return [max(small, key=lambda name: validation.accuracy(name)["mean"])] if small else []


def opened(folder: Path) -> dict[str, ClassifierBundle]:
    """All bundles that a distillation made, by their stage."""
    found = sorted(path.parent for path in (folder / "stages").glob("*/classifier.json"))
    return {path.name: ClassifierBundle.load(path) for path in found}


def cpu_side_by_side(
    bundles: dict[str, ClassifierBundle], texts: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """CPU milliseconds a text at true length on one thread; the median of five rounds, taken in turn."""
    rounds = [{name: cpu_ms(one.runtime, texts) for name, one in bundles.items()} for _ in range(5)]
    return {
        name: {key: float(np.median([turn[name][key] for turn in rounds])) for key in ("mean", "p50", "p95")}
        for name in bundles
    }


def ratio(test: Heard, name: str) -> dict[str, float]:
    """The share of the full model's accuracy that is kept, with an interval over resampled texts."""
    pair = test.beside(name)
    values = np.column_stack([pair.edge_right, pair.cloud_right]).astype(np.float64)
    drawn = Bootstrap([str(row) for row in range(len(values))], seed=SEED).draws(values)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    mean = values.mean(axis=0)
    return {"mean": float(mean[0] / mean[1]), "low": float(low), "high": float(high)}


def cascade(validation: Heard, test: Heard, name: str) -> dict[str, Any]:
    """Edge first with the full model as the cloud: what stays at a loss of .9 %, and the deferral curve."""
    placing = fitted(("edge", FULL), validation.beside(name), None, Guard(max_loss=LOSS, in_scope=1.0))
    after = answers(placing, test.beside(name))
    found = after.outcome(placing.threshold)
    stays = after.risk <= placing.threshold
    change = np.where(stays, after.cloud.astype(float) - after.edge, 0.0)
    drawn = Bootstrap([str(row) for row in range(len(stays))], seed=SEED).means(
        np.column_stack([stays.astype(float), change])
    )
    return {
        "kept": {"mean": found.kept, "low": drawn[0].low, "high": drawn[0].high},
        "loss": {"mean": found.loss, "low": drawn[1].low, "high": drawn[1].high},
        "most_kept": most_kept(after, LOSS).kept,
        "curve": [deferred(after, share) for share in SHARES],
        "weights": placing.weights,
        "chance": [chance(after, share) for share in SHARES],
    }


def deferred(found: Answers, share: float) -> dict[str, float]:
    """What comes of sending this share, the riskiest first, to the cloud."""
    stays = np.ones(len(found.risk), bool)
    stays[np.argsort(-found.risk, kind="stable")[: round(share * len(stays))]] = False
    right = np.where(stays, found.edge, found.cloud)
    return {"share": share, "accuracy": float(right.mean()), "loss": float(found.cloud.mean() - right.mean())}


def chance(found: Answers, share: float) -> float:
    """The accuracy of sending the same share by lot: the baseline."""
    return float((1 - share) * found.edge.mean() + share * found.cloud.mean())


def many_splits(validation: Heard, test: Heard, name: str) -> dict[str, Any]:
    """Promises from random halves of the test part: how many were broken, by the rest and by the whole.

    Weights and thresholds to test come from the validation part. Where halves are drawn with replacement the
    test part is the population, and its loss the known truth.
    """
    placing = fitted(("edge", FULL), validation.beside(name), None, Guard(in_scope=1.0))
    rungs = ladder(answers(placing, validation.beside(name)).risk)
    whole = answers(placing, test.beside(name))
    dice, count = np.random.default_rng(SEED), len(whole.risk)
    by_rest = by_whole = by_truth = 0
    kept: list[float] = []
    for _ in range(SPLITS):
        order = dice.permutation(count)
        found = proven(whole.rows(order[: count // 2]), rungs, PROMISE, CONFIDENCE)
        kept.append(0.0 if found is None else found.kept)
        if found is not None:
            by_rest += whole.rows(order[count // 2 :]).outcome(found.threshold).loss > PROMISE
            by_whole += whole.outcome(found.threshold).loss > PROMISE
        again = proven(whole.rows(dice.integers(0, count, count // 2)), rungs, PROMISE, CONFIDENCE)
        by_truth += again is not None and whole.outcome(again.threshold).loss > PROMISE
    return {
        "splits": SPLITS,
        "texts": count // 2,
        "broken_on_the_rest": int(by_rest),
        "broken_on_the_whole": int(by_whole),
        "broken_in_a_known_population": int(by_truth),
        "unproven": int(sum(share == 0.0 for share in kept)),
        "kept": float(np.mean(kept)),
    }


def clinc(data: Path, folder: Path) -> dict[str, Any]:
    """Every figure of clinc150."""
    source: dict[str, list[tuple[str, str]]] = json.loads((data / "clinc150/data_full.json").read_text())
    bundles = opened(folder)

    def heard(part: str) -> Heard:
        texts, labels = zip(*source[part], strict=True)
        return Heard(bundles, texts, labels)

    within, test, choosing, beyond = (heard(part) for part in ("val", "test", "oos_val", "oos_test"))
    return {
        "bundles": {
            name: {
                "bytes": (folder / "stages" / name / "model.onnx").stat().st_size,
                "accuracy": test.accuracy(name),
                "scope": scope(within.said[name], choosing.said[name], test.said[name], beyond.said[name]),
            }
            for name in bundles
        },
        "splits": {name: many_splits(within, test, name) for name in bundles if name != FULL},
    }


def scope(
    within: list[Said], choosing: list[Said], test: list[Said], beyond: list[Said]
) -> dict[str, dict[str, Any]]:
    """Texts beyond that are escalated where nine of ten within stay, by each measure.

    The threshold comes from the validation part; `exact` is that of the test part itself.
    """
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        a, b, c, d = (
            np.array([strangeness(kind, one) for one in said]) for said in (within, choosing, test, beyond)
        )
        limit = threshold_for(a, 0.9)
        share = float((d > limit).mean())
        low, high = wilson(share, len(d))
        found[kind] = {
            "separation_validation": separation(a, b),
            "separation": separation(c, d),
            "kept": float((c <= limit).mean()),
            "escalated": {"mean": share, "low": low, "high": high},
            "exact": float((d > threshold_for(c, 0.9)).mean()),
        }
    return found
