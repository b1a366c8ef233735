"""What is lost by learning from logged choices, and how much of it doubly robust training wins back.

    OMP_NUM_THREADS=1 nice -n 15 python -m benchmarks.bandit_training [--learners auto ridge] [--write]

The MMLU pair has both candidates' outcomes. One half of its prompts is turned into a log: of each prompt only
the candidate that a logging policy draws is kept, with its propensity. What is learned from the log is judged
on the other half, where everything is known. Five halves (seeds 0-4), a log each. `--write` renders the page.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.learning_data import apgr, problem, realised
from edgewise.learning.train.targets import MOST_WEIGHT
from edgewise.policies.learners.registry import learner_called
from edgewise.policies.learners.robust import CLIP, doubly_robust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from benchmarks.learning_data import Problem
    from edgewise.policies.learners.protocol import Training

    Doubles = NDArray[np.float64]

MMLU = "routing/mmlu_dev.csv.gz"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "learning-bandit.md"
SEEDS = range(5)
LOG_SEED = 100
WAYS = ("ipw", "doubly-robust")
LOGGING: Mapping[str, str] = {
    "even": "both with 1/2",
    "strong 9 in 10": "the dearer candidate with .9, whatever the prompt",
    "weak 9 in 10": "the cheaper one with .9",
    "by length, exploring .1": "long prompts to the cheaper, short ones to the dearer, .05 the other way",
    "by length, exploring .02": "the same with .01 the other way",
}


def propensities(kind: str, data: Problem) -> Doubles:
    """(n, 2) how likely the logging policy asks each candidate."""
    rows = len(data.table)
    strong = int(np.average(data.targets, axis=0, weights=data.weights).argmax())
    share = {"even": 0.5, "strong 9 in 10": 0.9, "weak 9 in 10": 0.1}.get(kind)
    if share is None:
        other = float(kind.rpartition(" ")[2]) / 2
        length = np.array([len(prompt) for prompt in data.table.prompts])
        to_strong = np.where(length > np.median(length), other, 1.0 - other)
    else:
        to_strong = np.full(rows, share)
    out = np.empty((rows, 2))
    out[:, strong], out[:, 1 - strong] = to_strong, 1.0 - to_strong
    return out


def logs(data: Problem, kind: str, seed: int) -> tuple[Training, Doubles]:
    """The table as a log of one drawn choice a prompt, and how often each candidate was asked, (n, 2)."""
    propensity = propensities(kind, data)
    rows = np.arange(len(data.table))
    chosen = (np.random.default_rng(LOG_SEED + seed).random(len(rows)) > propensity[:, 0]).astype(int)
    counts = np.zeros((len(rows), 2))
    counts[rows, chosen] = 1.0
    weights = counts * np.minimum(1.0 / propensity, MOST_WEIGHT)
    targets = np.where(counts > 0, data.targets, np.nan)
    return replace(data.training, targets=targets, weights=weights), counts


def judged(data: Problem, kind: str, learner: str) -> dict[str, list[tuple[float, float]]]:
    """(APGR, realised quality) of each way, a seed each."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for seed in SEEDS:
        rest, out = data.parts(2, seed)[0]
        log, counts = logs(data, kind, seed)
        log, counts = log.take(rest), counts[rest]
        for way in WAYS:
            training = doubly_robust(log, counts) if way == "doubly-robust" else log
            fitted = learner_called(learner).fit(training)
            said = fitted.predict(data.training.features.take(out)).astype(np.float64)
            truth, weights = data.targets[out], data.weights[out]
            found[way].append((apgr(said, truth, weights), realised(said, truth, weights)))
    return found


def line(kind: str, learner: str, found: Mapping[str, list[tuple[float, float]]]) -> str:
    """A row of the page: means, standard deviations over seeds, and the paired difference of APGR."""
    cells = [LOGGING[kind], f"`{learner}`"]
    table = {way: np.array(values) for way, values in found.items()}
    cells += [f"{table[w][:, 0].mean():.3f} ± {table[w][:, 0].std(ddof=1):.3f}" for w in WAYS]
    gain = table["doubly-robust"][:, 0] - table["ipw"][:, 0]
    cells.append(f"{gain.mean():+.3f} ± {gain.std(ddof=1) / len(gain) ** 0.5:.3f}")
    cells += [f"{table[w][:, 1].mean():.4f}" for w in WAYS]
    return f"| {' | '.join(cells)} |"


HEAD = f"""# Learning from logged choices

What `edgewise train` makes of a log, in which only the chosen candidate's outcome is known. Made by
`OMP_NUM_THREADS=1 python -m benchmarks.bandit_training --learners LEARNERS --write` on
`{MMLU}`: half of its prompts, of each only the outcome of one drawn candidate;
judged on the other half, where both are known. Five halves (seeds 0-4); ± is the standard deviation over
them, of the gain its standard error. IPW weighs each choice by 1 / propensity, {MOST_WEIGHT:g} at most;
doubly robust ([Dudík et al., 2011](https://arxiv.org/abs/1103.4601)) adds to a cross-fitted ridge's forecast
the residual by 1 / propensity, {CLIP:g} at most. That bound was chosen on these halves; the logging policies
were not.

| logging policy | learner | APGR, IPW | APGR, doubly robust | gain | quality, IPW | quality, doubly robust |
|---|---|---|---|---|---|---|
"""
TAIL = """
Where the log's choices did not depend on the prompt, the two differ little, either way. Where a policy chose
by the prompt, as most logs' policies do, both learners rank prompts better from doubly robust outcomes, and
no gain of `auto` is negative: they are the default of `edgewise train`; `--bandit ipw` is the other.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--learners", nargs="*", default=["auto", "ridge"])
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/learning-bandit.md")
    options = parser.parse_args()
    data = problem(MMLU)
    lines: list[str] = []
    for learner in options.learners:
        for kind in LOGGING:
            lines.append(line(kind, learner, judged(data, kind, learner)))
            print(lines[-1], flush=True)
    if options.write:
        head = HEAD.replace("LEARNERS", " ".join(options.learners))
        PAGE.write_text(head + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
