"""The whole loop for real: the embedded model against helpers, from an empty folder to a verdict.

    OMP_NUM_THREADS=1 nice -n 10 python -m benchmarks.loop --folder /tmp/loop [--prompts 200] [--write]

`small` is the embedded model, asked once. `helped` is the same model with worked examples and a vote: slower
and better; it stands for the cloud and has a cloud's price. `oracle` is a labelled fake that knows what is
right. The same command goes on where it was ended. `--write` renders `docs/benchmarks/loop.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.machine import facts

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURES = DOCS / "benchmarks/loop.md", DOCS / "pictures"
CONFIG = """
[execution]
first_token_s = 600.0
[profile]
max_tokens = {tokens}
[[candidates]]
id = "small"
location = "edge"
embedded = "smollm2-135m"
[[candidates]]
id = "helped"
location = "cloud"
embedded = "smollm2-135m"
helped = {{ votes = 3 }}
price = {{ input = 0.15, output = 0.60 }}
[[candidates]]
id = "oracle"
location = "cloud"
script = {{ answers = "shipped", tokens_per_s = 80.0 }}
network = {{ delay_ms = 650.0, jitter_ms = 120.0, seed = 7 }}
price = {{ input = 2.5, output = 10.0 }}
"""
SHOWN = {"oracle": "perfect choices"}  # one of the candidates has that name here
NAMES = ("small", "helped", "oracle")
WAYS = {
    "small, helped": ["--candidates", "small,helped"],
    "small, helped, oracle": ["--objective", "quality-at-cost", "--weight", "1"],
}


def learned(folder: Path, prompts: int, options: list[str]) -> None:
    words = ["learn", "--shipped", "--prompts", str(prompts), "-o", "out", "--cv", "5x5", *options]
    subprocess.run([sys.executable, "-m", "edgewise.cli", *words], cwd=folder, check=True)


def kept(folder: Path, name: str, prompts: int, options: list[str]) -> dict[str, Any]:
    """What a way found, the state with its verdict and the evaluation; it is gone once, in its turn."""
    place = folder / f"{name}.json"
    if not place.exists():
        learned(folder, prompts, options)
        found = json.loads((folder / "out/learn.json").read_text())
        found["evaluation"] = json.loads((folder / "out/evaluation/evaluation.json").read_text())
        place.write_text(json.dumps(found))
    return dict(json.loads(place.read_text()))


def whole(folder: Path) -> list[dict[str, Any]]:
    """The rows of prompts that everybody answered and that have a quality."""
    rows = [json.loads(line) for line in (folder / "out/judged.jsonl").open()]
    graded = [row for row in rows if row["quality"] is not None and row["latency_s"] is not None]
    times = Counter(row["prompt"] for row in graded)
    return [row for row in graded if times[row["prompt"]] == len(NAMES)]


def qualities(folder: Path) -> list[str]:
    """Rows of a table: mean quality and median latency by task and candidate."""
    rows: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for row in whole(folder):
        for group in (row["group"], "all"):
            rows[group][row["candidate"]].append((row["quality"], row["latency_s"]))
    lines: list[str] = []
    for group in sorted(rows, key=lambda each: (each == "all", each)):
        cells = [rows[group][name] for name in NAMES]
        shown = [
            f"{sum(q for q, _ in cell) / len(cell):.2f} · {sorted(s for _, s in cell)[len(cell) // 2]:.2f} s"
            for cell in cells
            if cell
        ]
        lines.append(f"| {group} | {len(cells[0])} | {' | '.join(shown)} |")
    return lines


def told(name: str, found: dict[str, Any]) -> str:
    verdict, report = found["verdict"], found["evaluation"]
    rows = "\n".join(
        f"| {SHOWN.get(policy['name'], policy['name'])} | {policy['utility']['mean']:.3f} "
        f"[{policy['utility']['low']:.3f}, {policy['utility']['high']:.3f}] | "
        f"{policy['quality']['mean']:.3f} | "
        f"{policy['latency_s']['mean']:.2f} | {1000 * policy['cost_usd']['mean']:.4f} |"
        for policy in report["policies"]
    )
    return f"""## {name}, objective {verdict["objective"]}

> {verdict["sentence"]}
>
> {verdict["more"]}

| policy | {verdict["objective"]} a prompt | quality | latency s | USD per 1,000 |
|---|---|---|---|---|
{rows}
"""


def page(folder: Path, found: dict[str, dict[str, Any]], tokens: int) -> str:
    ways = "\n".join(told(name, each) for name, each in found.items())
    rows = "\n".join(qualities(folder))
    load = os.getloadavg()[2]
    return f"""# From nothing to a policy, for real

`edgewise learn` from an empty folder on shipped prompts, whose answers are graded and not judged by a
model; those that are graded by running code are left out. `small` is SmolLM2-135M, 4-bit, on this
machine, asked once (temperature 0.2, at most {tokens} tokens). `helped` is the same model with worked
examples and a vote of up to three answers, slower and better; it stands for the cloud and has the price
of a small one. `oracle` is a fake that knows what is right, behind a simulated network and with a large
model's price: *simulated*, and only there to show a wide gap.

Two cores of {facts()["cpu"]}, with a load average of {load:.0f} by other work: the latencies are those
of a very busy machine. {len(whole(folder)) // len(NAMES)} prompts, which everybody answered, are few;
the verdicts say how many it takes. Judged by 5 x 5 cross-validation. `python -m benchmarks.loop --folder
DIR --write` makes this page, with 200 prompts where nothing else is asked for.

| task | prompts | small | helped | oracle (simulated) |
|---|---|---|---|---|
{rows}

Mean quality and median latency.

{ways}
![Each answer by quality and latency, as large as its QoS](../pictures/loop.png)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--write", action="store_true")
    told_to = parser.parse_args()
    folder: Path = told_to.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "edgewise.toml").write_text(CONFIG.format(tokens=told_to.tokens))
    found = {name: kept(folder, name, told_to.prompts, options) for name, options in WAYS.items()}
    if told_to.write:
        PAGE.write_text(page(folder, found, told_to.tokens))
        shutil.copy(folder / "out/profile/edge-cloud.png", PICTURES / "loop.png")


if __name__ == "__main__":
    main()
