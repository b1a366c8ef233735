"""Rows → judged rows: verifiable graders first, then people, then what the table says, then judges."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from edgewise.domain.errors import TableError
from edgewise.learning.judge.answers import privacies
from edgewise.learning.judge.work import tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.pairs import Tournament
    from edgewise.learning.judge.panel import Judgement, Panel
    from edgewise.learning.judge.ratings import Ratings
    from edgewise.learning.judge.work import Options, Task

    Grade = Callable[[Mapping[str, Any], str], tuple[float | None, str]]

T = TypeVar("T")
HUMAN, TABLE, EMPTY = "human", "table", "empty"
SAYS_NOTHING = "The answer is empty."
ALONE = "It was not compared: nobody else answered its prompt, or its pairs were not drawn."
NOBODY = "Nobody judged it: it has no check, no rating, and no judge was named (--by CANDIDATE)."
AT_ONCE_GRADED = 2  # graders may run code: no more at a time than a small machine has cores


@dataclass(slots=True)
class Found:
    """What is known of the rows' answers, by key: each source apart, so that they can be compared."""

    answers: Sequence[Answer]
    graded: dict[str, tuple[str, float, str]] = field(default_factory=dict[str, tuple[str, float, str]])
    ungraded: dict[str, str] = field(default_factory=dict[str, str])
    rated: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    judged: dict[str, Judgement] = field(default_factory=dict[str, "Judgement"])
    criticality: dict[str, Judgement] = field(default_factory=dict[str, "Judgement"])
    critic: dict[str, Judgement] = field(default_factory=dict[str, "Judgement"])
    tournament: Tournament | None = None

    def trusted(self, answer: Answer) -> tuple[str, float, str] | None:
        """Who else than a judge says how good an answer is, and what: who is trusted most."""
        if answer.why_not is not None:
            return self._of_table(answer)
        if answer.key in self.graded:
            return self.graded[answer.key]
        if said := self.rated.get(_place(answer)):
            return HUMAN, sum(said.values()) / len(said), ""
        if answer.quality is not None:
            return (
                str(answer.row.get("judge") or TABLE),
                answer.quality,
                str(answer.row.get("rationale") or ""),
            )
        if not (answer.response or "").strip():
            return EMPTY, 0.0, SAYS_NOTHING
        return None

    def people(self, answer: Answer) -> dict[str, float]:
        """What people say of an answer, by rater."""
        return self.rated.get(_place(answer), {})

    @staticmethod
    def _of_table(answer: Answer) -> tuple[str, float, str] | None:
        if answer.quality is None:
            return None
        row = answer.row
        return str(row.get("judge") or TABLE), answer.quality, str(row.get("rationale") or "")

    def verdict(self, answer: Answer) -> tuple[str, float, str] | None:
        """Who says how good an answer is, what, and why: whoever is trusted most; None where nobody does."""
        if (trusted := self.trusted(answer)) is not None or answer.why_not is not None:
            return trusted
        if self.tournament is not None:
            return self.tournament.verdict(answer)
        judgement = self.judged.get(answer.key)
        if judgement is None or judgement.quality is None:
            return None
        return judgement.judge, judgement.quality, judgement.rationale

    def why_not(self, answer: Answer) -> str:
        """Why an answer has no quality."""
        if answer.why_not is not None:
            return answer.why_not
        if self.tournament is not None:
            return self.tournament.reason(answer) or ALONE
        judgement = self.judged.get(answer.key)
        if judgement is not None and judgement.reason is not None:
            return judgement.reason
        return self.ungraded.get(answer.key) or NOBODY

    def settled(self) -> set[str]:
        """The keys of answers that need no judge."""
        return {answer.key for answer in self.answers if self.trusted(answer) is not None}


async def graded(found: Found, grade: Grade) -> None:
    """Grade what has a check. `grade` runs in threads; a check that is no check is a `TableError`."""
    checked = {a.key: a for a in found.answers if a.check is not None and a.why_not is None}

    async def one(answer: Answer) -> None:
        check = answer.check or {}
        try:
            quality, why = await asyncio.to_thread(grade, check, answer.response or "")
        except TableError as error:
            raise TableError(f"Row {answer.number}: {error}") from error
        if quality is not None:
            found.graded[answer.key] = (str(check.get("grader") or "grader"), quality, why)
        else:
            found.ungraded[answer.key] = why

    await each(AT_ONCE_GRADED, checked.values(), one)


def rated(found: Found, ratings: Ratings) -> int:
    """Take in what people said; how many rows they said something of."""
    for answer in found.answers:
        if answer.why_not is None and (said := ratings.of(answer)):
            found.rated[_place(answer)] = said
    return sum(_place(answer) in found.rated for answer in found.answers)


async def asked(found: Found, panel: Panel, options: Options) -> None:
    """Ask the panel about all that is left, and about samples that tell how far it can be trusted."""

    async def one(task: Task) -> None:
        if task.answer is None:
            found.criticality[task.key] = await panel.criticality(task.prompt, privacy=task.privacy)
        else:
            found.judged[task.key] = await panel.quality(
                task.prompt, task.answer, privacy=task.privacy, repeats=task.repeats
            )

    await each(panel.width, tasks(found.answers, found.settled(), options), one)
    if options.critic:
        await criticised(found, panel)


async def criticised(found: Found, panel: Panel) -> None:
    """Ask for the critic's QoS of prompts that one candidate at the edge and one in the cloud answered."""

    async def one(seen: tuple[str, str, str | None]) -> None:
        prompt, observed, privacy = seen
        found.critic[prompt] = await panel.critic(prompt, observed, privacy=privacy)

    await each(panel.width, observations(found), one)


def observations(found: Found) -> list[tuple[str, str, str | None]]:
    """Prompts, what was measured of edge and cloud (latency in ms, quality 0 to 1), and their privacy."""
    sides: dict[str, dict[str, list[str]]] = {}
    for answer in found.answers:
        said, seconds, place = found.verdict(answer), answer.row.get("latency_s"), location_of(answer)
        if said is not None and place is not None and str(seconds or ""):
            text = f"{place}: latency {1000 * float(str(seconds)):.0f} ms, quality {said[1]:.4f}"
            sides.setdefault(answer.prompt, {}).setdefault(place, []).append(text)
    private = privacies(found.answers)
    return [
        (prompt, f"{seen['edge'][0]}\n{seen['cloud'][0]}", private[prompt])
        for prompt, seen in sides.items()
        if len(seen.get("edge", ())) == len(seen.get("cloud", ())) == 1
    ]


def rows(found: Found) -> list[dict[str, Any]]:
    """The table's rows with what was found; `quality` is None, and `unjudged` says why, where nothing was."""
    return [_row(found, answer) for answer in found.answers]


async def each(width: int, items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do `work` on all items, `width` at a time. The first failure ends it and is raised."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(width)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _row(found: Found, answer: Answer) -> dict[str, Any]:
    row: dict[str, Any] = {**answer.row, "prompt": answer.row.get("prompt") or answer.prompt}
    row |= {"candidate": answer.candidate, "response": answer.response}
    row |= {"quality": None, "judge": None, "rationale": None}
    row.pop("unjudged", None)
    judgement = found.judged.get(answer.key) if answer.why_not is None else None
    said = found.verdict(answer)
    if said is not None:
        row["judge"], row["quality"], row["rationale"] = said[0], said[1], said[2] or None
    else:
        row["unjudged"] = found.why_not(answer)
    if judgement is not None:
        row |= _details(judgement)
    if (about := found.criticality.get(answer.prompt)) is not None and about.values:
        row |= about.values
    qos = found.critic.get(answer.prompt)
    if qos is not None and qos.values and (place := location_of(answer)) is not None:
        row |= {"critic_qos": qos.values[f"qos_{place}"], "critic_rationale": qos.rationale}
    return row


def location_of(answer: Answer) -> str | None:
    """Where the candidate answered: `edge`, `cloud`, or None where the table does not say."""
    said = str(answer.row.get("location") or answer.candidate)
    return said if said in ("edge", "cloud") else None


def _details(judgement: Judgement) -> dict[str, Any]:
    """What the judges said, whoever's word counts in the end."""
    said: dict[str, Any] = {"judge_scores": judgement.by_judge}
    if judgement.disagreement is not None:
        said["judge_disagreement"] = judgement.disagreement
    if judgement.flags:
        said["judge_flags"] = list(judgement.flags)
    if judgement.reason is not None and judgement.quality is not None:
        said["judge_failed"] = judgement.reason
    return said


def _place(answer: Answer) -> str:
    """Ratings may name a candidate, so that the same words of two candidates can be rated differently."""
    return f"{answer.key}:{answer.candidate}"
