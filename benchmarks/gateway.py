"""`python -m benchmarks.gateway` (`make bench`): what the gateway costs on this machine, beside nginx.

docs/benchmarks.md says how it measures. It ends with 0 whether or not a target is reached, with 1 if a
server does not come up or a measurement is invalid. What cannot be measured here is said in a sentence and
left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import alone, beside_nginx, machine, report
from benchmarks.servers import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.findings import Finding

RESULTS = Path(__file__).parent / "results"


class Measure(NamedTuple):
    """One thing to measure, and what it needs."""

    take: Callable[[Path, int, int], Finding]
    needs: frozenset[str] = frozenset()


MEASURES = {
    "plain": Measure(beside_nginx.plain_answers, frozenset({"nginx", "wrk", "cc", "cores"})),
    "stream": Measure(beside_nginx.streamed_answers, frozenset({"nginx", "cc", "cores"})),
    "log": Measure(alone.log_cost),
    "healthy": Measure(alone.healthy_path),
    "import": Measure(alone.import_time),
    "memory": Measure(alone.memory, frozenset({"wrk", "cc", "cores"})),
    "ready": Measure(alone.ready_time, frozenset({"cc", "cores"})),
    "cli": Measure(alone.cli_start),
}


def main(argv: Sequence[str] | None = None) -> int:
    options = parsed(argv)
    wanted = options.only or list(MEASURES)
    findings: list[Finding] = []
    failed = False
    facts = machine.facts()
    print(f"{facts['cpu']}, {facts['cores']} cores, load average {facts['load_average']:.1f}")
    for name in wanted:
        measure = MEASURES[name]
        if missing := machine.lacks(measure.needs):
            print(f"{name} was not measured: this machine lacks {' and '.join(missing)}.")
            continue
        print(f"{name} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as folder:
            try:
                findings.append(measure.take(Path(folder), options.rounds, options.seconds))
            except NotReadyError as error:
                print(error)
                failed = True
    if findings:
        facts["load_average_after"] = os.getloadavg()[0]
        print(f"\n{report.table(findings)}\n")
        print(f"Everything measured is in {report.save(RESULTS, findings, facts)}")
    return int(failed or any(finding.why_invalid for finding in findings))


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each server (default: 5)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round (default: 3)")
    parser.add_argument("--only", nargs="+", choices=MEASURES, help="measure only these")
    options = parser.parse_args(argv)
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds take whole numbers from 1")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
