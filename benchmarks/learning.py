"""What the learners reach on the public tables, on prompts that they have not seen.

    OMP_NUM_THREADS=1 nice -n 15 python -m benchmarks.learning [--rows NAME ...] [--write]

Nothing is chosen here: the default learner with its frozen constants, as `edgewise train` fits it. Each
figure is the mean and standard deviation over the splits named beside it. `--write` keeps the figures in
`docs/benchmarks/learning.json` (rows that were not run keep what an earlier run found) and renders the page.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.learning_data import PLACEMENT, Problem, apgr, gap_closed, problem, realised
from benchmarks.learning_page import PAGE, ROWS, page
from edgewise.features.described import describer
from edgewise.learning.tables import Layout
from edgewise.learning.train.answers import describe_answers
from edgewise.learning.train.learn import TrainOptions, learn
from edgewise.policies.learners.answers import AnswerLearner
from edgewise.policies.learners.registry import learner_called
from edgewise.policies.objectives import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described

    Rows = NDArray[np.intp]

MMLU, GSM8K, NINE = (f"routing/{name}.csv.gz" for name in ("mmlu_dev", "gsm8k", "nine_models_dev"))
QUALITY = "quality-at-cost"
TASKS, ENOUGH, ROUNDS = 5, 2, 2_000
KEPT = Path(__file__).parents[1] / "docs" / "benchmarks" / "learning.json"


def forecast(data: Problem, rest: Rows, out: Rows, learner: str = "auto") -> NDArray[np.float64]:
    """Forecasts of `out` by a learner fitted on `rest`."""
    fitted = learner_called(learner).fit(data.training.take(rest))
    return fitted.predict(data.training.features.take(out)).astype(np.float64)


def routed(data: Problem, rest: Rows, asked: Described, options: TrainOptions) -> NDArray[np.float64]:
    """Utilities by which `edgewise route` chooses, of a bundle that `edgewise train` makes of `rest`."""
    bundle = learn(data.table.take(rest), options).bundle
    return bundle.forecast(asked).value.astype(np.float64)


def scored(data: Problem, rest: Rows, out: Rows, learner: str = "auto") -> float:
    return apgr(forecast(data, rest, out, learner), data.targets[out], data.weights[out])


def halves(how: str, learner: str = "auto") -> Iterator[float]:
    """Five splits in half by the hash of the prompt."""
    data = problem(MMLU, how=how)
    for seed in range(5):
        yield scored(data, *data.parts(2, seed)[0], learner)


def tenths(how: str) -> Iterator[float]:
    """Ten folds by prompt: nine tenths of the labels, as many as the published figures had."""
    data = problem(MMLU, how=how)
    for rest, out in data.parts(10, 0):
        yield scored(data, rest, out)


def few(count: int) -> Iterator[float]:
    """`count` labels drawn from one half, the other half tested: five halves, three draws each."""
    data = problem(MMLU)
    for seed in range(15):
        rest, out = data.parts(2, seed % 5)[0]
        yield scored(data, np.sort(np.random.default_rng(seed).permutation(rest)[:count]), out)


def subjects() -> Iterator[float]:
    """Five folds of subjects."""
    data = problem(MMLU)
    for rest, out in data.groups(TASKS, 0):
        yield scored(data, rest, out)


def sums() -> Iterator[float]:
    """Five times five folds, prompts alone; one figure a repeat, all folds pooled."""
    data = problem(GSM8K)
    for seed in range(5):
        said = np.zeros_like(data.targets)
        for rest, out in data.parts(5, seed):
            said[out] = forecast(data, rest, out)
        yield apgr(said, data.targets, data.weights)


def answered() -> Iterator[float]:
    """The same after reading the weaker candidate's answer."""
    data = problem(GSM8K)
    weak = int(np.average(data.targets, axis=0, weights=data.weights).argmin())
    texts = data.table.responses[data.table.candidates[weak]]
    found = describe_answers(
        data.table.prompts, [text or "" for text in texts], "static", data.training.features
    )
    own = data.targets[:, weak : weak + 1]
    wanted = np.hstack([own, data.targets[:, [1 - weak]] - own])
    for seed in range(5):
        said = np.zeros_like(data.targets)
        for rest, out in data.parts(5, seed):
            rule = AnswerLearner().fit(found.take(rest), wanted[rest], 0, data.training.weights[rest])
            said[out, 1 - weak] = rule.predict(found.take(out))[:, 1]
        yield apgr(said, data.targets, data.weights)


def nine(learner: str = "auto") -> Iterator[float]:
    """Twice five folds: the share of the gap from the best single (picked in training) to the oracle."""
    data = problem(NINE)
    for seed in range(2):
        for rest, out in data.parts(5, seed):
            single = int(np.average(data.targets[rest], axis=0, weights=data.weights[rest]).argmax())
            said = routed(
                data,
                rest,
                data.training.features.take(out),
                TrainOptions(Objective(QUALITY), learner=learner),
            )
            yield gap_closed(said, data.targets[out], data.weights[out], single)


def placement(learner: str = "auto") -> Iterator[float]:
    """Train part → test prompts that do not stand in it; five seeds of the learner."""
    train = problem("seed_placement/train.csv", PLACEMENT, "reward")
    test = problem("seed_placement/test.csv", PLACEMENT, "reward")
    known = set(train.table.keys)
    out = np.array([row for row, key in enumerate(test.table.keys) if key not in known])
    asked = test.training.features.take(out)

    for seed in range(5 if learner == "auto" else 1):
        options = TrainOptions(Objective("reward"), learner=learner, seed=seed)
        said = routed(train, np.arange(len(train.targets)), asked, options)
        yield realised(said, test.targets[out], test.weights[out])


def selection() -> Iterator[float]:
    """Three times five folds: realised QoS less that of the best single picked in training."""
    data = problem("seed_selection/train.csv", Layout(quality_scale=100.0), "qos")
    gains = np.zeros((3, len(data.targets)))
    for seed in range(3):
        for rest, out in data.parts(5, seed):
            asked = data.training.features.take(out)
            chosen = routed(data, rest, asked, TrainOptions(Objective("qos"))).argmax(1)
            single = int(data.targets[rest].mean(0).argmax())
            gains[seed, out] = data.targets[out, chosen] - data.targets[out, single]
    dice = np.random.default_rng(0).integers(0, gains.shape[1], (ROUNDS, gains.shape[1]))
    low, high = np.quantile(gains.mean(0)[dice].mean(1), (0.025, 0.975))
    print(f"    selection: difference {gains.mean():+.4f}, 95 % interval by prompt [{low:+.4f}, {high:+.4f}]")
    yield from gains.mean(1)


def one_decision(learner: str) -> Iterator[float]:
    """CPU microseconds of one decision on about 100 tokens, trained on all MMLU prompts: the median."""
    data = problem(MMLU)
    fitted, describe = learner_called(learner).fit(data.training), describer("static")
    sizes = np.abs(np.diff(data.training.features.bounds) - 199)
    text = data.table.prompts[int(sizes.argmin())]
    for _ in range(3):
        taken: list[int] = []
        for _ in range(400):
            began = time.process_time_ns()
            fitted.predict(describe([text]))
            taken.append(time.process_time_ns() - began)
        yield float(np.median(taken)) / 1e3


def ten_thousand() -> Iterator[float]:
    """CPU seconds for features and forecasts of 10,000 prompts at once."""
    data = problem(MMLU)
    fitted = learner_called("auto").fit(data.training)
    texts = (data.table.prompts * 2)[:10_000]
    began = time.process_time()
    fitted.predict(describer("static")(texts))
    yield time.process_time() - began


def training_time() -> Iterator[float]:
    """CPU seconds to describe all MMLU prompts and fit the default learner."""
    data = problem(MMLU)
    began = time.process_time()
    describer("static")(data.table.prompts)
    learner_called("auto").fit(data.training)
    yield time.process_time() - began


JOBS: dict[str, Callable[[], Iterator[float]]] = {
    "mmlu-halves": lambda: halves("static"),
    "mmlu-halves-knn": lambda: halves("static", "knn"),
    "mmlu-1500": lambda: few(1_500),
    "mmlu-500": lambda: few(500),
    "gsm8k": sums,
    "gsm8k-answers": answered,
    "placement": placement,
    "placement-recipe": lambda: placement("placement-recipe"),
    "placement-ridge": lambda: placement("ridge"),
    "selection": selection,
    "mmlu-subjects": subjects,
    "decision-auto": lambda: one_decision("auto"),
    "decision-ridge": lambda: one_decision("ridge"),
    "route-10000": ten_thousand,
    "train": training_time,
    "mmlu-halves-minilm": lambda: halves("minilm"),
    "nine": nine,
    "mmlu-tenths": lambda: tenths("static"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="*", choices=sorted(JOBS), default=list(JOBS))
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/learning.md")
    options = parser.parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for name in options.rows:
        began = time.process_time()
        values = [round(value, 5) for value in JOBS[name]()]
        spread = float(np.std(values, ddof=1)) if len(values) >= ENOUGH else 0.0
        print(f"{name:20} {np.mean(values):9.4f}  sd {spread:.4f}  n {len(values)}  {values}", flush=True)
        date = datetime.now(UTC).date().isoformat()
        kept[name] = {"values": values, "date": date, "cpu_s": round(time.process_time() - began, 1)}
        if options.write:
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            PAGE.write_text(page(kept), encoding="utf-8")
    assert set(ROWS) <= set(JOBS)


if __name__ == "__main__":
    main()
