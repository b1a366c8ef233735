"""A gateway that has learned: two bundles, and a log of theirs with ratings, try-outs and a drift."""

from __future__ import annotations

import csv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import time

from tests.dashboard import forecasts
from tests.dashboard.traffic import CONFIG
from tests.learning.synthetic import prompts
from tests.servers import Running, gateway

from edgewise.learning.deploy import FOLDER, Store
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective

DEPLOYED = '[policy]\nkind = "bundle"\nbundle = "deployed"\nexplore = 0.1'
RIGHT = {"phi": (0.2, 0.9), "mini": (0.6, 0.9), "grand": (0.9, 0.95)}  # on hard prompts, and on easy ones

CODE = 0.6  # of the prompts


@contextmanager
def learned(home: Path) -> Generator[Running]:
    """It serves the second bundle, `v2`; the first costs less. Its signals are on."""
    read = read_table(_table(home / "outcomes.csv"))
    store = Store(home / FOLDER)
    for name, weight in (("thrifty", 10.0), ("good", 1.0)):
        options = TrainOptions(Objective("quality-at-cost", weight=weight), learner="ridge")
        learn(read, options).save(home / name)
        store.promote(home / name)
    dice = Random(1)
    said = [
        f"Write def case(n): {text}" if dice.random() < CODE else text for text, _ in prompts(900, seed=1)
    ]
    forecasts.write(home / "edgewise.sqlite", time(), decisions=900, prompts=said, worse=0.7)
    config = CONFIG.replace("[policy]\nexplore = 0.0", DEPLOYED)
    with gateway(home, config, env={"EDGEWISE_SIGNALS": "on"}) as running:
        yield running


def _table(path: Path) -> Path:
    """Outcomes of the candidates of `traffic.CONFIG`."""
    dice = Random(0)
    costs: dict[str, float] = dict(zip(forecasts.NAMES, forecasts.COSTS, strict=True))
    took: dict[str, float] = dict(zip(forecasts.NAMES, forecasts.LATENCY, strict=True))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "candidate", "location", "quality", "latency_s", "cost_usd"])
        for prompt, hard in prompts(160):
            for name, odds in RIGHT.items():
                right = float(dice.random() < odds[0 if hard else 1])
                place = "edge" if name == "phi" else "cloud"
                latency = took[name] * dice.lognormvariate(0.0, 0.2)
                out.writerow([prompt, name, place, right, latency, costs[name]])
    return path
