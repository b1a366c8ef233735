"""The page about the embedded model's competence: answers, graded → accuracies with Wilson intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from edgewise.domain import intervals
from edgewise.learning.graders import grade, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FEWEST = 30  # answers; a way to ask that has fewer is left out
LEVELS = (1, 2, 3, 4, 5)
Graded = list[dict[str, Any]]
SYSTEM = "You are a helpful assistant. Keep your answer short."
MOST_TOKENS = 256  # as in the published candidate settings
HEAD = """# What the embedded model knows

smollm2-135m (135 million parameters, 4 bits) on the [shipped prompts](../graders.md#the-shipped-prompts),
each answer graded by its check, none by a model. {when}, `OMP_NUM_THREADS=1 nice -n 10 python -m
benchmarks.competence`, then `--write`; llama.cpp on two shared cores that were busy with other work. The
system prompt is
"{system}", at most {tokens} tokens, seed 7. Shares of right answers with 95 % Wilson
intervals; n is the number of prompts. A way to ask that was not run on all 300 was run on the first of an
order in which tasks come equally often, and levels nearly so. All answers stand in
[competence.jsonl](competence.jsonl). A model of this size solves some of what takes one step, next to
nothing that takes several, and does not keep to a form that was asked for: it is there so that Edgewise
runs without anything else, not because its answers are good.
"""


def page(kept: Sequence[Mapping[str, Any]], ways: Mapping[str, str], when: str) -> str:
    """The page in Markdown."""
    graded = {way: graded_rows(one for one in kept if one["way"] == way) for way in ways}
    graded = {way: rows for way, rows in graded.items() if len(rows) >= FEWEST}
    parts = [HEAD.format(when=when, system=SYSTEM, tokens=MOST_TOKENS), _overview(graded, ways)]
    for way, rows in graded.items():
        parts.append(f"## {ways[way].capitalize()}\n\n{_cells(rows)}")
    parts.append(_paired(graded, ways))
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def graded_rows(kept: Iterable[Mapping[str, Any]]) -> Graded:
    """Each kept answer with its prompt's task and level, and whether it is right."""
    prompts = {prompt.more["name"]: prompt for prompt in shipped()}
    rows: Graded = []
    for one in kept:
        prompt = prompts[one["name"]]
        quality = grade(prompt.check or {}, one["response"], run_code=True).quality
        if quality is not None:
            rows.append({**one, "task": prompt.group, "level": prompt.level, "right": quality == 1.0})
    return rows


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, of which nothing is known without a count."""
    return intervals.wilson(right / count, count) if count else (0.0, 1.0)


def _share(rows: Graded) -> str:
    right, count = sum(row["right"] for row in rows), len(rows)
    if not count:
        return ""
    low, high = wilson(right, count)
    return f"{right / count:.0%} ({low * 100:.0f} to {high * 100:.0f}; n {count})".replace("%", " %")


def _overview(graded: Mapping[str, Graded], ways: Mapping[str, str]) -> str:
    lines = ["| asked | right | tokens an answer |", "|---|---|---|"]
    for way, rows in graded.items():
        tokens = sum(row["tokens"] or 0 for row in rows) / len(rows)
        lines.append(f"| {ways[way]} | {_share(rows)} | {tokens:.0f} |")
    return "\n".join(lines)


def _cells(rows: Graded) -> str:
    by: dict[tuple[Any, Any], Graded] = defaultdict(list)
    for row in rows:
        for task in (row["task"], "all"):
            for level in (row["level"], "all"):
                by[task, level].append(row)
    tasks = [*sorted({row["task"] for row in rows}), "all"]
    lines = [f"| | {' | '.join(f'level {level}' for level in LEVELS)} | all |", f"|---|{'---|' * 6}"]
    for task in tasks:
        shares = [
            f"{sum(r['right'] for r in found)}/{len(found)}"
            for level in LEVELS
            for found in (by[task, level],)
        ]
        if task == "all":
            shares = [_share(by[task, level]) for level in LEVELS]
        lines.append(f"| {task} | {' | '.join(shares)} | {_share(by[task, 'all'])} |")
    return "\n".join(lines)


def _paired(graded: Mapping[str, Graded], ways: Mapping[str, str]) -> str:
    """What another way gained and lost on the prompts that both were asked."""
    first, *others = graded
    base = {row["name"]: row["right"] for row in graded[first]}
    heading = "## On the same prompts"
    how = "prompt by prompt; p is that of a two-sided sign test: above 0.05 nothing can be said."
    lines = [heading, "", f"Compared with *{ways[first]}*, {how}", ""]
    lines += [
        "| asked | prompts | right before | right now | won | lost | p |",
        "|---|---|---|---|---|---|---|",
    ]
    for way in others:
        both = [(base[row["name"]], row["right"]) for row in graded[way] if row["name"] in base]
        won, lost = sum(now > was for was, now in both), sum(now < was for was, now in both)
        before, now = (sum(pair[n] for pair in both) for n in (0, 1))
        cells = (ways[way], len(both), before, now, won, lost, f"{by_chance(won, lost):.2f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) if others else ""


def by_chance(won: int, lost: int) -> float:
    """How likely a coin is to fall at least as unevenly: the two-sided sign test."""
    tosses, fewer = won + lost, min(won, lost)
    as_uneven: int = sum(math.comb(tosses, n) for n in range(fewer + 1))
    return min(1.0, as_uneven / float(2 ** (tosses - 1))) if tosses else 1.0
