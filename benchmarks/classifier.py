"""Classifiers on two public intent sets: every figure of `docs/benchmarks/classifier.md`.

    edgewise distill DATA/banking77/train.csv --test DATA/banking77/test.csv \
        --label-column category -o banking
    python -m benchmarks.classifier tables DATA/clinc150/data_full.json -o clinc
    edgewise distill clinc/train.csv --test clinc/test.csv --calibration clinc/val.csv --max-loss .01 \
        --out-of-scope clinc/oos_val.csv --in-scope .9 -o clinc --epochs 2
    OMP_NUM_THREADS=1 python -m benchmarks.classifier measure DATA banking clinc [--write]

The first and the third command train, each for a quarter of an hour on a core of its own; the last one
takes minutes. `--write` renders the page from `docs/benchmarks/classifier.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.classifier_figures import banking, clinc
from benchmarks.classifier_page import page
from benchmarks.classifier_serving import served
from benchmarks.machine import facts

DOCS = Path(__file__).parents[1] / "docs/benchmarks"
FOUND, PAGE = DOCS / "classifier.json", DOCS / "classifier.md"
PARTS = ("train", "val", "test", "oos_train", "oos_val", "oos_test")


def tables(source: Path, output: Path) -> None:
    """Write clinc150's parts as tables with the columns text and label."""
    output.mkdir(parents=True, exist_ok=True)
    data: dict[str, list[tuple[str, str]]] = json.loads(source.read_text())
    for part in PARTS:
        with (output / f"{part}.csv").open("w", newline="") as target:
            rows = csv.writer(target)
            rows.writerow(("text", "label"))
            rows.writerows(data[part])


def measure(data: Path, bundles: dict[str, Path]) -> dict[str, Any]:
    """All figures as plain data; a set whose bundles are not there is left out."""
    found: dict[str, Any] = {"at": f"{datetime.now(UTC):%Y-%m-%d}", "machine": facts()}
    if (bundles["banking"] / "stages").is_dir():
        found["banking77"] = banking(data, bundles["banking"])
        found["serving"] = served(data, bundles["banking"], found["banking77"]["chosen"])
    if (bundles["clinc"] / "stages").is_dir():
        found["clinc150"] = clinc(data, bundles["clinc"])
    return found


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classifier")
    ways = parser.add_subparsers(dest="way", required=True)
    written = ways.add_parser("tables")
    written.add_argument("source", type=Path)
    written.add_argument("-o", "--output", type=Path, required=True)
    measured = ways.add_parser("measure")
    for name in ("data", "banking", "clinc"):
        measured.add_argument(name, type=Path)
    measured.add_argument("--write", action="store_true", help=f"render {PAGE.name}")
    given = parser.parse_args()
    if given.way == "tables":
        tables(given.source, given.output)
        return
    before: dict[str, Any] = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    found = before | measure(given.data, {"banking": given.banking, "clinc": given.clinc})
    if given.write:
        FOUND.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        PAGE.write_text(page(found))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
