"""Answers against each other: each pair is shown in both orders, so that the order decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.domain.errors import TableError
from edgewise.learning.evaluate.bootstrap import Bootstrap, Interval, interval
from edgewise.learning.judge.answers import Answer, privacies
from edgewise.learning.judge.rubrics import PAIR, TIE, A
from edgewise.learning.judge.run import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.learning.judge.panel import Ballot, Panel
    from edgewise.learning.judge.rubrics import Rubric

    Floats = NDArray[np.float64]

STEPS, CLOSE = 200, 1e-6
PRIOR = (
    0.5  # wins that each candidate has over each other one before anything is seen: keeps strengths finite
)
DRAWS = 200
SPLIT = "The judge's choice followed the order in which the answers stood: it counts as a tie."


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates' answers to one prompt."""

    one: Answer
    other: Answer
    privacy: str | None

    @property
    def prompt(self) -> str:
        """What both answer."""
        return self.one.prompt


@dataclass(slots=True)
class Compared:
    """What judges made of a pair: `share` is the first's part of the win (1, 0.5, 0), None without a verdict.

    `firsts` are the choices that were no tie: whether the answer that stood first won. `split` counts judges
    whose choice turned round with the order.
    """

    pair: Pair
    share: float | None
    firsts: tuple[bool, ...]
    split: int
    judge: str
    rationale: str
    reason: str | None


@dataclass(slots=True)
class Tournament:
    """All comparisons, and what they make of each answer (by the number of its row)."""

    compared: list[Compared] = field(default_factory=list[Compared])
    _of: dict[int, list[Compared]] = field(default_factory=dict[int, list[Compared]])

    def add(self, compared: Compared) -> None:
        """One more."""
        self.compared.append(compared)
        for answer in (compared.pair.one, compared.pair.other):
            self._of.setdefault(answer.number, []).append(compared)

    def verdict(self, answer: Answer) -> tuple[str, float, str] | None:
        """Who judged an answer, its share of wins over the others, and why; None without any."""
        mine = [c for c in self._of.get(answer.number, ()) if c.share is not None]
        if not mine:
            return None
        shares = [c.share or 0.0 if c.pair.one is answer else 1 - (c.share or 0.0) for c in mine]
        who = "+".join(dict.fromkeys(c.judge for c in mine))
        return who, fmean(shares), " | ".join(dict.fromkeys(c.rationale for c in mine if c.rationale))

    def reason(self, answer: Answer) -> str | None:
        """Why it has no verdict."""
        return next((c.reason for c in self._of.get(answer.number, ()) if c.reason is not None), None)


class PairReport(Struct, frozen=True):
    """`strength`: Bradley-Terry's chance of a win over the average candidate; `win_share`: wins, ties half.

    `first_wins` is how often the answer that stood first was chosen, ties aside: 0.5 is no position bias;
    `split` the share of comparisons whose winner changed with the order (they count as ties).
    """

    compared: int
    unjudged: int
    strength: dict[str, Interval]
    win_share: dict[str, Interval]
    first_wins: Interval
    split: Interval


def pairs_of(answers: Sequence[Answer], most: int | None = None, seed: int = 0) -> list[Pair]:
    """The pairs of different candidates' answers to the same prompt (of repeats the same one), shuffled.

    Of more than `most` pairs a sample. Raises `TableError` where there is none.
    """
    private, groups = privacies(answers), dict[tuple[str, str], dict[str, Answer]]()
    for answer in answers:
        if answer.why_not is None:
            group = groups.setdefault((answer.prompt, str(answer.row.get("repeat") or 0)), {})
            group.setdefault(answer.candidate, answer)
    found = [
        Pair(one, other, private[prompt])
        for (prompt, _), group in groups.items()
        for one, other in combinations([group[name] for name in sorted(group)], 2)
    ]
    if not found:
        raise TableError(
            "--pairwise needs prompts that at least two candidates have answered; there is none."
        )
    found.sort(key=lambda p: sha256(f"{seed}:{p.one.key}:{p.other.key}".encode()).digest())
    return found[:most]


def shown(panel: Panel, pairs: Iterable[Pair]) -> Iterable[tuple[Rubric, Mapping[str, str], str | None, int]]:
    """What judges would read of pairs, for an estimate: rubric, texts, privacy, how often."""
    for pair in pairs:
        first, second = pair.one.response or "", pair.other.response or ""
        if first != second:
            yield PAIR, panel.duel(pair.prompt, first, second), pair.privacy, 1
            yield PAIR, panel.duel(pair.prompt, second, first), pair.privacy, 1


async def compare(panel: Panel, pairs: Iterable[Pair]) -> Tournament:
    """Ask every judge about every pair, in both orders."""
    found = Tournament()

    async def one(pair: Pair) -> None:
        first, second = pair.one.response or "", pair.other.response or ""
        if first == second:
            found.add(Compared(pair, 0.5, (), 0, "same", "The answers are the same.", None))
            return
        there = await panel.compare(pair.prompt, first, second, privacy=pair.privacy)
        back = await panel.compare(pair.prompt, second, first, privacy=pair.privacy)
        found.add(_settled(pair, there, back))

    await each(panel.width, pairs, one)
    return found


def _settled(pair: Pair, there: Sequence[Ballot], back: Sequence[Ballot]) -> Compared:
    """One judge a pair of ballots: a win counts only where both orders name the same answer."""
    shares: list[float] = []
    judges: list[str] = []
    firsts: list[bool] = []
    said: list[str] = []
    reasons = [b.reason for b in (*there, *back) if b.reason is not None]
    split = 0
    for forth, reverse in zip(there, back, strict=True):
        if forth.verdict is None or reverse.verdict is None:
            continue
        firsts += [v.choice == A for v in (forth.verdict, reverse.verdict) if v.choice != TIE]
        share = (_share(forth.verdict.choice) + 1 - _share(reverse.verdict.choice)) / 2
        is_split = forth.verdict.choice == reverse.verdict.choice != TIE
        split += is_split
        shares.append(0.5 if is_split else share)
        judges.append(forth.judge)
        said.append(SPLIT if is_split else forth.verdict.rationale)
    return Compared(
        pair,
        fmean(shares) if shares else None,
        tuple(firsts),
        split,
        "+".join(judges),
        " | ".join(text for text in said if text),
        reasons[0] if reasons else None,
    )


def _share(choice: str | None) -> float:
    return 0.5 if choice == TIE else float(choice == A)


def report(found: Tournament, seed: int = 0) -> PairReport:
    """Strengths, win shares and position bias, with 95 % intervals over prompts."""
    known = [c for c in found.compared if c.share is not None]
    names = sorted({a.candidate for c in found.compared for a in (c.pair.one, c.pair.other)})
    wins = np.zeros((len(known), len(names), len(names)))
    for row, each_ in enumerate(known):
        one, other = names.index(each_.pair.one.candidate), names.index(each_.pair.other.candidate)
        share = each_.share or 0.0
        wins[row, one, other], wins[row, other, one] = share, 1 - share
    boot = Bootstrap([c.pair.prompt for c in known], seed=seed, draws=DRAWS)
    drawn = [np.tensordot(weight, wins, axes=1) for weight in boot.weights()] if known else []
    total = wins.sum(axis=0)
    strengths = np.array([bradley_terry(each_) for each_ in drawn]).reshape(-1, len(names))
    shares = np.array([_win_share(each_) for each_ in drawn]).reshape(-1, len(names))
    mean_strength, mean_share = bradley_terry(total), _win_share(total)
    return PairReport(
        compared=len(known),
        unjudged=len(found.compared) - len(known),
        strength={n: interval(float(mean_strength[i]), strengths[:, i]) for i, n in enumerate(names)},
        win_share={n: interval(float(mean_share[i]), shares[:, i]) for i, n in enumerate(names)},
        first_wins=_over_prompts([(c.pair.prompt, float(f)) for c in known for f in c.firsts], seed),
        split=_over_prompts([(c.pair.prompt, float(c.split > 0)) for c in known if c.judge != "same"], seed),
    )


def bradley_terry(wins: Floats) -> Floats:
    """Each candidate's chance (m,) to beat the average one, of `wins` (m, m) of row over column.

    Source: Hunter 2004, "MM algorithms for generalized Bradley-Terry models".
    """
    count = len(wins)
    won = wins + PRIOR * (1 - np.eye(count))
    met, strength = won + won.T, np.ones(count)
    for _ in range(STEPS):
        before = strength
        strength = won.sum(axis=1) / (met / (strength[:, None] + strength[None, :])).sum(axis=1)
        strength /= np.exp(np.log(strength).mean())
        if np.abs(strength / before - 1).max() < CLOSE:
            break
    return strength / (1 + strength)


def _win_share(wins: Floats) -> Floats:
    met = (wins + wins.T).sum(axis=1)
    share = np.full(len(wins), np.nan)
    np.divide(wins.sum(axis=1), met, out=share, where=met > 0)
    return share


def _over_prompts(values: Sequence[tuple[str, float]], seed: int) -> Interval:
    if not values:
        return Interval(float("nan"), float("nan"), float("nan"))
    boot = Bootstrap([prompt for prompt, _ in values], seed=seed)
    return boot.mean(np.array([value for _, value in values]))
