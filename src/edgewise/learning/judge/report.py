"""What was judged, by whom, and how far to trust it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.learning.evaluate.bootstrap import Bootstrap, Interval
from edgewise.learning.judge.agreement import Agreement, Consistency, agreement, consistency
from edgewise.learning.judge.pairs import PairReport
from edgewise.learning.judge.pairs import report as pair_report
from edgewise.learning.judge.run import EMPTY, HUMAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.run import Found

BEST = 100.0  # of a judge's scores
GRADERS = "graders"


class CandidateScores(Struct, frozen=True):
    """One candidate's qualities: `scores` are all of them, `mean` with its interval over prompts."""

    candidate: str
    judged: int
    unjudged: int
    mean: Interval
    scores: tuple[float, ...]


class JudgeReport(Struct, frozen=True):
    """The whole of it. `sources` counts rows by who judged them, `unjudged` by why nobody did.

    `own` are judges that judge answers of their own. `flagged` rows hold an answer that seems to talk to its
    judge.
    """

    table: str
    rows: int
    judged: int
    candidates: tuple[CandidateScores, ...]
    sources: dict[str, int]
    unjudged: dict[str, int]
    agreements: tuple[Agreement, ...]
    consistencies: tuple[Consistency, ...]
    pairs: PairReport | None
    flagged: int
    own: tuple[str, ...]
    notes: tuple[str, ...]


def report_on(
    found: Found,
    rows: Sequence[dict[str, object]],
    *,
    table: str,
    notes: Iterable[str] = (),
    seed: int = 0,
) -> JudgeReport:
    """The report on judged rows."""
    judges = sorted({name for j in found.judged.values() for name in j.by_judge})
    sources = Counter(str(row["judge"]) for row in rows if row["quality"] is not None)
    own = sorted(set(judges) & {answer.candidate for answer in found.answers})
    return JudgeReport(
        table=table,
        rows=len(rows),
        judged=sum(sources.values()),
        candidates=tuple(_scores(found.answers, rows, name, seed) for name in _candidates(found.answers)),
        sources=dict(sources.most_common()),
        unjudged=dict(Counter(str(row["unjudged"]) for row in rows if "unjudged" in row).most_common()),
        agreements=tuple(_agreements(found, judges, seed)),
        consistencies=tuple(_consistencies(found, judges, seed)),
        pairs=pair_report(found.tournament, seed) if found.tournament is not None else None,
        flagged=sum("judge_flags" in row for row in rows),
        own=tuple(own),
        notes=tuple(notes),
    )


def _candidates(answers: Iterable[Answer]) -> list[str]:
    return sorted({answer.candidate for answer in answers})


def _scores(
    answers: Sequence[Answer], rows: Sequence[dict[str, object]], candidate: str, seed: int
) -> CandidateScores:
    mine = [
        (a.prompt, row["quality"]) for a, row in zip(answers, rows, strict=True) if a.candidate == candidate
    ]
    known = [(prompt, float(str(quality))) for prompt, quality in mine if quality is not None]
    values = np.array([quality for _, quality in known])
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    mean = Bootstrap([prompt for prompt, _ in known], seed=seed).mean(values) if known else nothing
    return CandidateScores(candidate, len(known), len(mine) - len(known), mean, tuple(values.tolist()))


def _agreements(found: Found, judges: Sequence[str], seed: int) -> Iterable[Agreement]:
    """Each judge against graders, people and the table; people against graders; judges against each other."""
    references = _references(found)
    different = {answer.key: answer for answer in found.answers}
    said = {
        judge: {
            key: fmean(j.by_judge[judge]) / BEST for key, j in found.judged.items() if judge in j.by_judge
        }
        for judge in judges
    }
    for name, truth in references.items():
        for judge in judges:
            both = [key for key in said[judge] if key in truth]
            if both:
                triples = [(different[k].prompt, said[judge][k], truth[k]) for k in both]
                yield agreement(judge, name, triples, seed)
    if GRADERS in references and HUMAN in references:
        graders, people = references[GRADERS], references[HUMAN]
        triples = [(different[k].prompt, people[k], graders[k]) for k in people if k in graders]
        if triples:
            yield agreement(HUMAN, GRADERS, triples, seed)
    for one, other in combinations(judges, 2):
        both = [key for key in said[one] if key in said[other]]
        if both:
            triples = [(different[k].prompt, said[one][k], said[other][k]) for k in both]
            yield agreement(one, other, triples, seed)


def _references(found: Found) -> dict[str, dict[str, float]]:
    """What is held to be true, by source and answer."""
    references: dict[str, dict[str, float]] = {}
    for answer in found.answers:
        if answer.key in found.graded:
            references.setdefault(GRADERS, {})[answer.key] = found.graded[answer.key][1]
        if said := found.people(answer):
            references.setdefault(HUMAN, {})[answer.key] = fmean(said.values())
        trusted = found.trusted(answer)
        if trusted is not None and answer.key not in found.graded and trusted[0] not in (HUMAN, EMPTY):
            references.setdefault(trusted[0], {})[answer.key] = trusted[1]
    return references


def _consistencies(found: Found, judges: Sequence[str], seed: int) -> Iterable[Consistency]:
    different = {answer.key: answer for answer in found.answers}
    for judge in judges:
        twice = [
            (different[key].prompt, said[0] / BEST, said[1] / BEST)
            for key, judgement in found.judged.items()
            if len(said := judgement.by_judge.get(judge, ())) > 1
        ]
        if twice:
            yield consistency(judge, twice, seed)
