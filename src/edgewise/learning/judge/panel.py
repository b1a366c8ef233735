"""Several judges as one: each is asked once for the same thing, and how far they differ is kept."""

from __future__ import annotations

import asyncio
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from edgewise.learning.judge.asking import Unjudged
from edgewise.learning.judge.blind import Blind
from edgewise.learning.judge.framing import flags_of
from edgewise.learning.judge.kept import Bought, key_of
from edgewise.learning.judge.purse import BudgetSpent
from edgewise.learning.judge.rubrics import CRITIC, CRITICALITY, PAIR, QUALITY
from edgewise.learning.judge.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edgewise.learning.judge.asking import Judge
    from edgewise.learning.judge.kept import Kept
    from edgewise.learning.judge.purse import Purse
    from edgewise.learning.judge.rubrics import Rubric

Combine = Literal["mean", "median"]
AT_ONCE = 4
PROMPT, ANSWER, FIRST, SECOND, SEEN = "PROMPT", "ANSWER", "ANSWER A", "ANSWER B", "OBSERVED"


class Ballot(Struct, frozen=True):
    """What one judge said the `repeat`-th time, or why it said nothing (`reason`)."""

    judge: str
    repeat: int
    verdict: Verdict | None = None
    reason: str | None = None
    was_kept: bool = False


class Judgement(Struct, frozen=True):
    """What the judges make of one thing.

    `values` are on the rubric's own scales, `quality` is 0 to 1; None and empty where nobody gave a verdict,
    which is never 0: `reason` then says why. `by_judge` are each judge's values of one scale, repeat by
    repeat; `disagreement` is the distance between the judges furthest apart, on that scale.
    """

    values: dict[str, float]
    quality: float | None
    judge: str
    rationale: str
    reason: str | None
    flags: tuple[str, ...]
    by_judge: dict[str, tuple[float, ...]]
    disagreement: float | None
    ballots: tuple[Ballot, ...]


class Panel:
    """Judges with one memory (`kept`) and one `purse`.

    No endpoint has more than `at_once` questions at a time. `names` are masked in what the judges read.
    `stopped` is set once the purse cannot bear another question; whatever is asked later is unjudged.
    `heard` is called with every ballot.
    """

    def __init__(  # noqa: PLR0913 - one argument a property of the panel
        self,
        judges: Sequence[Judge],
        purse: Purse,
        *,
        kept: Kept | None = None,
        names: Iterable[str] = (),
        combine: Combine = "mean",
        at_once: int = AT_ONCE,
        heard: Callable[[Ballot], None] | None = None,
    ) -> None:
        self.judges, self.purse, self._kept = tuple(judges), purse, kept
        self.blind, self._combine, self.heard = Blind(names), combine, heard
        self._at_once = at_once
        self._slots = {judge.candidate.endpoint: asyncio.Semaphore(at_once) for judge in judges}
        self.stopped: str | None = None

    async def quality(
        self, prompt: str, answer: str, *, privacy: str | None = None, repeats: int = 1
    ) -> Judgement:
        """How good an answer is: `score` 0 to 100, `quality` 0 to 1. Blind to who gave it."""
        ballots = await self._ballots(QUALITY, self.shown(prompt, answer), privacy, repeats)
        return self._judgement(QUALITY, ballots, flags_of(answer))

    async def criticality(self, prompt: str, *, privacy: str | None = None) -> Judgement:
        """How bad a wrong answer to a prompt would be, and how bad a late one: 0 to 10 each."""
        return self._judgement(CRITICALITY, await self._ballots(CRITICALITY, self.shown(prompt), privacy))

    async def critic(self, prompt: str, observed: str, *, privacy: str | None = None) -> Judgement:
        """The critic's QoS (0 to 100) of edge and cloud, by what was `observed` of both."""
        return self._judgement(CRITIC, await self._ballots(CRITIC, {PROMPT: prompt, SEEN: observed}, privacy))

    async def compare(
        self, prompt: str, first: str, second: str, *, privacy: str | None = None
    ) -> tuple[Ballot, ...]:
        """Which of two answers is better, shown in this order: one ballot a judge."""
        return await self._ballots(PAIR, self.duel(prompt, first, second), privacy)

    def has(self, rubric: Rubric, judge: Judge, texts: Mapping[str, str], repeat: int = 0) -> bool:
        """Whether the verdict is kept already."""
        return self._kept is not None and self._kept.get(_key(rubric, judge, texts, repeat)) is not None

    def kept_usd(self, rubric: Rubric, texts: Mapping[str, str], repeats: int) -> float:
        """What the verdicts that are kept already cost, as far as that is known."""
        if self._kept is None:
            return 0.0
        keys = (_key(rubric, judge, texts, repeat) for judge in self.judges for repeat in range(repeats))
        return sum(found.cost_usd or 0.0 for key in keys if (found := self._kept.get(key)) is not None)

    def duel(self, prompt: str, first: str, second: str) -> Mapping[str, str]:
        """What a judge reads of two answers."""
        mask = self.blind.mask
        return {PROMPT: prompt, FIRST: mask(first, prompt), SECOND: mask(second, prompt)}

    @property
    def width(self) -> int:
        """How many questions can be under way at once, over all endpoints."""
        return self._at_once * max(1, len(self._slots))

    def shown(self, prompt: str, answer: str | None = None) -> Mapping[str, str]:
        """What a judge reads of a prompt and an answer."""
        shown = {PROMPT: prompt}
        return shown if answer is None else {**shown, ANSWER: self.blind.mask(answer, prompt)}

    async def _ballots(
        self, rubric: Rubric, texts: Mapping[str, str], privacy: str | None, repeats: int = 1
    ) -> tuple[Ballot, ...]:
        asked = [(judge, repeat) for judge in self.judges for repeat in range(repeats)]
        return tuple(await asyncio.gather(*(self._ballot(rubric, texts, privacy, *each) for each in asked)))

    async def _ballot(
        self, rubric: Rubric, texts: Mapping[str, str], privacy: str | None, judge: Judge, repeat: int
    ) -> Ballot:
        name, key = judge.candidate.id, _key(rubric, judge, texts, repeat)
        found = self._kept.get(key) if self._kept is not None else None
        if found is not None:
            return self._told(Ballot(name, repeat, found.verdict, was_kept=True))
        async with self._slots[judge.candidate.endpoint]:
            try:
                bought = await self._bought(rubric, texts, privacy, judge)
            except Unjudged as why:
                return self._told(Ballot(name, repeat, reason=str(why)))
        if self._kept is not None:
            self._kept.put(key, bought)
        return self._told(Ballot(name, repeat, bought.verdict))

    async def _bought(
        self, rubric: Rubric, texts: Mapping[str, str], privacy: str | None, judge: Judge
    ) -> Bought:
        while self.stopped is None:
            try:
                return await judge.ask(rubric, texts, self.purse, privacy)
            except BudgetSpent as why:
                if not await self.purse.settled():  # what others have set aside may come back
                    self.stopped = str(why)
        raise Unjudged(self.stopped)

    def _told(self, ballot: Ballot) -> Ballot:
        if self.heard is not None:
            self.heard(ballot)
        return ballot

    def _judgement(self, rubric: Rubric, ballots: Sequence[Ballot], flags: tuple[str, ...] = ()) -> Judgement:
        given = [(ballot, ballot.verdict) for ballot in ballots if ballot.verdict is not None]
        first, judges = rubric.scales[0], list(dict.fromkeys(ballot.judge for ballot, _ in given))
        of = {
            scale.name: {j: tuple(v.values[scale.name] for b, v in given if b.judge == j) for j in judges}
            for scale in rubric.scales
        }
        combined = median if self._combine == "median" else fmean
        values = {n: float(combined([fmean(said) for said in of[n].values()])) for n in of} if given else {}
        means = [fmean(said) for said in of[first.name].values()]
        failed = {b.judge: b.reason for b in ballots if b.reason is not None and b.judge not in judges}
        return Judgement(
            values=values,
            quality=(values[first.name] - first.low) / (first.high - first.low) if values else None,
            judge="+".join(judges),
            rationale=" | ".join(_why(judges, given)),
            reason="; ".join(str(reason) for reason in failed.values()) or None,
            flags=flags,
            by_judge=of[first.name],
            disagreement=max(means) - min(means) if len(means) > 1 else None,
            ballots=tuple(ballots),
        )


def _why(judges: Sequence[str], given: Sequence[tuple[Ballot, Verdict]]) -> list[str]:
    """Each judge's first rationale; its name stands before it where there are several."""
    said = [next((v.rationale for b, v in given if b.judge == j and v.rationale), "") for j in judges]
    if len(judges) == 1:
        return said
    return [f"{j}: {text}" for j, text in zip(judges, said, strict=True) if text]


def _key(rubric: Rubric, judge: Judge, texts: Mapping[str, str], repeat: int) -> str:
    """The judge's model and endpoint, the rubric's words, what is judged, and the how-manieth time."""
    shown = [part for pair in texts.items() for part in pair]
    return key_of(*judge.identity, rubric.version, str(repeat), *shown)
