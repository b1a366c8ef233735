"""How much of what is private the rules find, on sentences that they were not made for, and how fast.

    python -m benchmarks.privacy

`privacy_set.jsonl` was made after the rules were frozen: sentences by hand, values by generators that others
wrote (Faker and python-stdnum, in the formats of 28 locales). A sentence counts as caught where a rule found
something in it, as covered where all of the value stands in what was found. Secrets are escaped there, so
that scanners of repositories take them for what they are: made up.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from time import process_time
from typing import NamedTuple

from edgewise.domain import intervals
from edgewise.features.detectors.rules import search

SET = Path(__file__).with_name("privacy_set.jsonl")
ORDINARY = (
    "Please summarise the following meeting notes for the team and list the open questions. We met on "
    "2026-05-04 at 10:30 in room 12 to plan the release of version 3.2.1; Maria said that the budget of "
    "$12,500 for 2026 would be enough, and that the API tests take 45 minutes. "
)
PRIVATE = "Pay with 4111 1111 1111 1111 or from DE89 3704 0044 0532 0130 00, and write to ann@example.org. "
NUMBERS = "17 204 3391 88 5 1204 77 310 42 9 "


class Row(NamedTuple):
    """One kind of sentence: how many there are, how many were caught, and how many covered."""

    kind: str
    total: int
    caught: int
    covered: int


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Wilson's interval (95 %) of a share."""
    return intervals.wilson(hits / total, total)


def score() -> list[Row]:
    """A row a kind, in the order of the set; the kind of what is harmless is empty."""
    rows: dict[str, Row] = {}
    for line in SET.read_text().splitlines():
        one = json.loads(line)
        kind, value, text = one["kind"] or "", one.get("value", ""), one["text"]
        found = search(text)
        start = text.find(value)
        covered = bool(value) and any(m.start <= start and start + len(value) <= m.end for m in found)
        row = rows.get(kind, Row(kind, 0, 0, 0))
        rows[kind] = Row(kind, row.total + 1, row.caught + bool(found), row.covered + covered)
    return list(rows.values())


def table() -> str:
    """The scores as the page has them."""
    rows = score()
    claimed = [row for row in rows if row.kind not in ("", "not claimed")]
    together = Row(
        "together",
        sum(row.total for row in claimed),
        sum(row.caught for row in claimed),
        sum(row.covered for row in claimed),
    )
    lines = ["| kind | sentences | caught | 95 % interval | value wholly covered |", "|---|---|---|---|---|"]
    for row in [*claimed, together, *(row for row in rows if row.kind == "not claimed")]:
        low, high = wilson(row.caught, row.total)
        lines.append(f"| {row.kind} | {row.total} | {row.caught} | {low:.0%} to {high:.0%} | {row.covered} |")
    harmless = next(row for row in rows if not row.kind)
    low, high = wilson(harmless.caught, harmless.total)
    lines.append(
        f"| harmless (false alarms) | {harmless.total} | {harmless.caught} | {low:.0%} to {high:.0%} | |"
    )
    return "\n".join(lines)


def micros(text: str, repeats: int = 7, calls: int = 300) -> float:
    """CPU microseconds of one search, the best of some repeats."""
    search(text)
    best = math.inf
    for _ in range(repeats):
        began = process_time()
        for _ in range(calls):
            search(text)
        best = min(best, (process_time() - began) / calls)
    return best * 1e6


def main() -> None:
    """Print the scores and the times."""
    print(table())
    print()
    kilobytes = {
        "ordinary text": ORDINARY,
        "a card, an IBAN and an address a line": PRIVATE,
        "only numbers": NUMBERS,
    }
    for name, text in kilobytes.items():
        print(f"1 kB of {name}: {micros((text * 40)[:1024]):.0f} µs")


if __name__ == "__main__":
    main()
