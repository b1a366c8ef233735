"""`python -m benchmarks.reliability.fuzz`: what reads other people's bytes gets bytes that are nearly right.

Every input comes from the seed, the target's name and a number, so that a find is repeated with
`--only TARGET --seed SEED --start NUMBER --runs 1`. It ends with 1 where something was found.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.reliability.mutations import mutated
from benchmarks.reliability.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.reliability.targets import Target

ROUND = 500  # inputs of a target before the next one has its turn


class Find(NamedTuple):
    """An input that a target did not stand, and how it fell."""

    target: str
    seed: int
    number: int
    data: bytes
    told: str


def tried(name: str, target: Target, seed: int, numbers: Iterable[int]) -> Iterator[Find]:
    """Run these inputs of a target; whatever it raises is yielded."""
    for number in numbers:
        dice = Random(f"{seed}:{name}:{number}")
        data = mutated(target.samples, dice)
        try:
            target.run(data, dice)
        except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
            yield Find(name, seed, number, data, traceback.format_exc())


def kinds(finds: Iterable[Find]) -> list[tuple[int, Find]]:
    """One find of each kind (the last line of what it raised, numbers apart), and how often it came."""
    first: dict[str, Find] = {}
    times: Counter[str] = Counter()
    for find in finds:
        last = find.told.strip().splitlines()
        kind = find.target + "".join(c for c in last[-1] + last[-2] if not c.isdigit())
        times[kind] += 1
        if kind not in first or len(find.data) < len(first[kind].data):
            first[kind] = find
    return [(times[kind], find) for kind, find in first.items()]


def run_for(
    seconds: float, targets: Mapping[str, Target], seed: int, start: int
) -> tuple[Counter[str], list[Find]]:
    """Give each target its turn until the time is over; how many inputs each had, and what was found."""
    runs: Counter[str] = Counter()
    finds: list[Find] = []
    until, said = time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < until:
        for name, target in targets.items():
            begin = start + runs[name]
            finds += tried(name, target, seed, range(begin, begin + ROUND))
            runs[name] += ROUND
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print(f"{runs.total():,} inputs, {len(finds)} finds", file=sys.stderr, flush=True)
    return runs, finds


def main(argv: Sequence[str] | None = None) -> int:
    options = parsed(argv)
    targets = {name: TARGETS[name] for name in options.only or TARGETS}
    if options.runs:
        numbers = range(options.start, options.start + options.runs)
        finds = [f for name, target in targets.items() for f in tried(name, target, options.seed, numbers)]
        runs = Counter(dict.fromkeys(targets, options.runs))
    else:
        runs, finds = run_for(60.0 * options.minutes, targets, options.seed, options.start)
    for times, find in kinds(finds):
        print(f"\n{find.target}, seed {find.seed}, number {find.number}, {times} times:")
        print(f"{find.data!r}\n{find.told}")
    print("".join(f"{name:14} {count:>10,} inputs\n" for name, count in runs.items()), end="")
    print(f"{len(finds)} of {runs.total():,} inputs were not stood (seed {options.seed}).")
    return int(bool(finds))


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="of every input (default: 0)")
    parser.add_argument("--start", type=int, default=0, help="the first input's number (default: 0)")
    parser.add_argument("--runs", type=int, default=0, help="inputs a target, instead of a time")
    parser.add_argument("--only", nargs="+", choices=TARGETS, help="only these targets")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
