"""The published hybrid support desk, from nothing: a classifier for the edge, a cascade, and what that saves.

    python examples/support_tutorial.py [FOLDER] [CONVERSATIONS] [BUNDLE]

Conversations are simulated, as there: three sentiments, templates, account numbers. Two things are not as
there. The test is written from templates that training never saw; and the edge answers first, so that the
cloud is paid for only where it is asked. Needs `pip install 'edgewise[distill]'` and a quarter of an hour
for 1,500 conversations; with a BUNDLE made already it begins at step 3, and `edgewise[classify]` is enough.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from edgewise.learning.worlds import Conversation, make_conversations
from edgewise.upstreams.classifier import ClassifierBundle

EDGE_USD, CLOUD_USD = 0.001, 0.0136  # a query, as published
CONFIG = """
[store]
path = "{log}"

[policy]
kind = "cascade"

[[policy.escalate]]
name = "asks for a person"
words = ["manager", "supervisor", "speak to a human"]
escalates = ["I demand to speak with a MANAGER!"]
stays = ["How do I manage my contract?"]

[[candidates]]
id = "small"
location = "edge"
kind = "classifier"
bundle = "{edge}"
price = {{ input = 0.0, output = 0.0, per_query = {edge_usd} }}

[[candidates]]
id = "full"
location = "cloud"
kind = "classifier"
bundle = "{cloud}"
price = {{ input = 0.0, output = 0.0, per_query = {cloud_usd} }}
"""


def main(folder: Path, count: int, bundle: Path | None) -> None:
    # 1. Conversations: to learn from, to test on, and many more that nobody labelled.
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "train.csv", make_conversations(count))
    save(folder / "test.csv", make_conversations(max(60, count // 3), part="test"))
    domain = make_conversations(2 * count, seed=1)
    (folder / "domain.txt").write_text("".join(f"{each.text}\n" for each in domain))

    # 2. Read the domain, fine-tune, export, compress, prove what may be lost, benchmark, report.
    if bundle is None:
        bundle = folder / "bundle"
        edgewise(
            *("distill", folder / "train.csv", "--test", folder / "test.csv", "-o", bundle),
            *("--unlabelled", folder / "domain.txt", "--max-loss", 0.01),
        )

    # 3. The small model is the edge; the full one stands for the cloud.
    config = folder / "edgewise.toml"
    config.write_text(
        CONFIG.format(
            log=(folder / "log.sqlite").resolve().as_posix(),
            edge=bundle.resolve().as_posix(),
            cloud=(bundle / "stages" / "fp32").resolve().as_posix(),
            edge_usd=EDGE_USD,
            cloud_usd=CLOUD_USD,
        )
    )

    # 4. Place the test, each text on its own, and see what it cost.
    placed = folder / "placed.jsonl"
    edgewise("classify", "--config", config, "--input", folder / "test.csv", "--output", placed)
    edgewise("log", "stats", "--labels", "--config", config, "--cloud-usd", CLOUD_USD)

    # 5. What each of the two would have said alone. What was published does not follow from its own prices.
    rows = [json.loads(line) for line in placed.read_text().splitlines()]
    found = {"edge first": [row["label"] for row in rows]}
    for name, place in (("edge alone", bundle), ("cloud alone", bundle / "stages" / "fp32")):
        alone = ClassifierBundle.load(place).classify([row["text"] for row in rows])
        found[name] = [said.label for said in alone]
    for name, labels in found.items():
        right = sum(label == row["true_label"] for label, row in zip(labels, rows, strict=True)) / len(rows)
        print(f"{name:>11}: right in {right:.1%} of conversations from templates never seen")
    most = 0.949 * (1 - EDGE_USD / CLOUD_USD)
    print(f"Published: 94.9% at the edge, 93.5% saved; at these prices 94.9% at the edge save {most:.1%}.")


def save(path: Path, conversations: Iterable[Conversation]) -> None:
    """A labelled table as `edgewise distill` and `edgewise classify` read it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows((each.text, each.sentiment) for each in conversations)


def edgewise(*words: object) -> None:
    """Say the command, and run it."""
    command = [str(word) for word in words]
    print("$ edgewise", *command, flush=True)
    ran = subprocess.run([sys.executable, "-m", "edgewise.cli", *command], check=False)  # noqa: S603 - our own
    if ran.returncode:
        sys.exit(ran.returncode)


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    made = given.get(3)
    main(Path(given.get(1, "support")), int(given.get(2, "1500")), None if made is None else Path(made))
