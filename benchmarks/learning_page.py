"""The benchmark's figures as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "learning.md"
ROWS: dict[str, tuple[str, str, str, str]] = {
    # name: what, protocol, unit, beside it
    "mmlu-tenths": (
        "MMLU pair, static features, nine tenths of the labels",
        "10 folds by prompt, seed 0",
        "APGR",
        "RouteLLM .603 (published); goal .685",
    ),
    "mmlu-halves": (
        "MMLU pair, static features, half of the labels",
        "5 splits in half, seeds 0-4",
        "APGR",
        "goal at twice the labels: .685",
    ),
    "mmlu-halves-knn": ("the same, `--learner knn`", "the same", "APGR", ""),
    "mmlu-halves-minilm": ("the same, MiniLM features", "the same", "APGR", "goal at twice the labels: .70"),
    "mmlu-1500": ("MMLU pair, 1,500 labels", "15 draws, seeds 0-14; other half tested", "APGR", "goal .655"),
    "mmlu-500": ("MMLU pair, 500 labels", "the same", "APGR", "goal .635"),
    "mmlu-subjects": ("MMLU pair, subjects left out", "5 folds of subjects, seed 0", "APGR", "goal .61"),
    "gsm8k": ("GSM8K pair, prompt only", "5 x 5 folds, pooled a repeat", "APGR", "goal .625"),
    "gsm8k-answers": (
        "GSM8K pair, with the weaker one's answer",
        "the same",
        "APGR",
        "goal .72; knowing all: .966",
    ),
    "nine": (
        "nine models, share of the gap to the oracle, as routed",
        "2 x 5 folds, seeds 0-1",
        "share",
        "goal .18",
    ),
    "placement": (
        "placement, realised QoS on 343 unseen prompts, as routed",
        "5 seeds of the learner",
        "QoS",
        "goal 76.4; oracle 79.8; published 78.0 is a forecast",
    ),
    "placement-ridge": ("the same, `--learner ridge`", "1 seed", "QoS", ""),
    "placement-recipe": (
        "the same, `--learner placement-recipe`",
        "1 seed; static vectors",
        "QoS",
        "76.1 with MiniLM",
    ),
    "selection": (
        "selection, 100 prompts, as routed: learned less best single",
        "3 x 5 folds, seeds 0-2",
        "QoS",
        "goal: no different",
    ),
    "decision-auto": (
        "one decision, `auto` on all MMLU prompts",
        "median of 400, 3 times",
        "µs CPU",
        "goal 500",
    ),
    "decision-ridge": ("the same, `ridge`", "the same", "µs CPU", "goal 200"),
    "route-10000": ("10,000 prompts at once, features and forecasts", "once", "s CPU", "goal 8"),
    "train": ("training on all MMLU prompts, features and learner", "once", "s CPU", "goal 60"),
}
HEAD = """# What the learners reach

On prompts that they have not seen, with the default learner and its frozen constants. Made by

    OMP_NUM_THREADS=1 nice -n 15 python -m benchmarks.learning --write

on two shared cores (so times are CPU times, and still vary by half). APGR is the mean share of the quality
gap between the two candidates that is recovered over all shares of calls to the better one: chance gets .5.

| what | protocol | mean | sd | beside it | run on |
|---|---|---|---|---|---|
"""
TAIL = """
## What has changed since

Heavier term penalties, slower trees, sharper and more careful guesses of the task, a firmer prior of the
stack (2026-11-21). On the same splits as before: half of the labels .6615 to .6657, 1,500 labels .6514 to
.6538, 500 labels .6149 to .6174, GSM8K .6218 to .6323, placement 76.08 to 76.32 (now as routed). The goals
for 1,500 labels, 500 labels, subjects left out, nine models and placement are missed on these splits. An
earlier prototype that read better (.6751 at half) was scored on other splits of the same table; there this
package read .6778 before these changes. Subjects left out differ by fold from .50 to .80: its mean says
little. Beyond 5,000 prompts trees are left out as well as neighbours, for the time that they take.

## How to read this

- The standard deviation is over splits of one table; it says little about other tables. Splits overlap in
  their training parts, so it is no standard error either.
- The splits go by prompt. Widths of kernels, the prior of the stack and its list of members
  were chosen while looking at held-out halves of these same development tables; later changes were chosen
  on splits of the same tables with other seeds than those reported, which share prompts with them. Expect
  somewhat less on other data. Weights and penalties are fitted inside the training part. The answer-aware
  features are one of 11 sets that were compared on the same GSM8K folds.
- Much of the gain over plain neighbours comes from the column `group`: it is read in training, never when
  deciding. On unseen subjects guessing the task harms; the less a prompt looks like any known task, the
  less that guess counts.
- "As routed" rows go through what `edgewise train` packs, caution included; the others ask the learner
  itself, since a head start of one candidate does not change the order of prompts.
- Figures in the column "beside it" that are called published come from the papers and pages that describe
  those systems, on their own splits; the others are goals of this project.
- On the selection table no choice beats the best single candidate beyond doubt on held-out prompts, so that
  one is chosen for every prompt, which is why the difference is nought.
- The CPU times were taken beside other work on both cores.
- "not run" means just that.
"""


def page(found: dict[str, Any]) -> str:
    """The page as Markdown."""
    lines: list[str] = []
    for name, (what, protocol, unit, beside) in ROWS.items():
        run = found.get(name)
        if run is None:
            lines.append(f"| {what} | {protocol} | not run | | {beside} | |")
            continue
        values = run["values"]
        digits = 4 if unit in {"APGR", "share"} or name == "selection" else 2 if unit == "QoS" else 1
        spread = f"{np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
        mean = f"{np.mean(values):.{digits}f} {unit}"
        lines.append(f"| {what} | {protocol} | {mean} | {spread} | {beside} | {run['date']} |")
    return HEAD + "\n".join(lines) + "\n" + TAIL
