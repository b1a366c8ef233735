"""What there is to ask judges: which answers, how often, in which order; and what that would cost."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.tokens import tokens_in
from edgewise.learning.judge.answers import privacies
from edgewise.learning.judge.asking import MOST_TOKENS
from edgewise.learning.judge.framing import framed
from edgewise.learning.judge.rubrics import CRITICALITY, QUALITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.asking import Judge
    from edgewise.learning.judge.panel import Panel
    from edgewise.learning.judge.rubrics import Rubric

LIKELY_TOKENS = 60  # of a verdict
LIKELY_TOKENS_PER_S, LIKELY_FIRST_S = 30.0, 0.5


class Options(Struct, frozen=True):
    """How rows are judged.

    `repeats` is how often each judge is asked about the first `repeat_sample` answers, which tells how far it
    agrees with itself. `audit` is how many answers that a grader or a person has judged already it judges
    too, which tells how far it agrees with them. With `pairwise` answers are compared with each other (at
    most `most_pairs` pairs) in place of scored. `critic` adds the critic's QoS of edge and cloud. Everything
    is drawn with `seed`.
    """

    repeats: int = 2
    repeat_sample: int = 50
    audit: int = 50
    criticality: bool = True
    pairwise: bool = False
    most_pairs: int | None = None
    critic: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One different answer to be judged, or (without `answer`) one prompt's criticality."""

    prompt: str
    answer: str | None
    privacy: str | None
    key: str
    repeats: int = 1

    @property
    def rubric(self) -> Rubric:
        """What is asked."""
        return CRITICALITY if self.answer is None else QUALITY

    def shown(self, panel: Panel) -> Mapping[str, str]:
        """What the judges get to read."""
        return panel.shown(self.prompt, self.answer)


def tasks(answers: Sequence[Answer], settled: Iterable[str], options: Options) -> list[Task]:
    """What to ask: answers without a quality first, in a drawn order; then the audit; then criticality.

    `settled` are the keys of answers that are judged already, by graders, people or the table.
    """
    done, private = set(settled), privacies(answers)
    different = {a.key: a for a in answers if a.why_not is None and (a.response or "").strip()}
    drawn = sorted(different, key=lambda key: _lot(options.seed, key))
    opened = [key for key in drawn if key not in done]
    audited = [key for key in drawn if key in done][: options.audit]
    found: list[Task] = []
    for number, key in enumerate([] if options.pairwise else [*opened, *audited]):
        answer = different[key]
        times = options.repeats if number < options.repeat_sample else 1
        found.append(Task(answer.prompt, answer.response, private[answer.prompt], key, times))
    if options.criticality:
        wanted = {answer.prompt for answer in answers if answer.row.get("mission_criticality") in (None, "")}
        prompts = sorted(wanted, key=lambda prompt: _lot(options.seed, prompt))
        found += [Task(prompt, None, private[prompt], prompt) for prompt in prompts]
    return found


class Estimate(Struct, frozen=True):
    """What one judge would still be asked: calls, the USD that they will probably and can at most cost, time.

    None where it has no price. `kept` are the verdicts that are there already.
    """

    judge: str
    calls: int
    kept: int
    private: int
    likely_usd: float | None
    most_usd: float | None
    takes_s: float


def estimates(
    todo: Iterable[tuple[Rubric, Mapping[str, str], str | None, int]], panel: Panel, at_once: int
) -> list[Estimate]:
    """Each judge's part of what is to be asked (rubric, texts, privacy, repeats). Nobody is asked."""
    found = {judge.candidate.id: _Sum(judge) for judge in panel.judges}
    for rubric, texts, privacy, repeats in todo:
        for judge in panel.judges:
            for repeat in range(repeats):
                if not judge.may_read(privacy):
                    found[judge.candidate.id].private += 1
                elif panel.has(rubric, judge, texts, repeat):
                    found[judge.candidate.id].kept += 1
                else:
                    found[judge.candidate.id].add(rubric, texts)
    return [each.estimate(at_once) for each in found.values()]


class _Sum:
    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.kept = self.private = self._calls = 0
        self._likely = self._most = 0.0

    def add(self, rubric: Rubric, texts: Mapping[str, str]) -> None:
        text = "\n".join(message["content"] for message in framed(rubric, texts))
        self._calls += 1
        if (price := self._judge.candidate.price) is not None:
            self._likely += price.cost(int(tokens_in(text)), LIKELY_TOKENS)
            self._most += price.cost(len(text.encode("utf-8", "surrogatepass")), MOST_TOKENS)

    def estimate(self, at_once: int) -> Estimate:
        has_price = self._judge.candidate.price is not None
        each_s = LIKELY_FIRST_S + LIKELY_TOKENS / LIKELY_TOKENS_PER_S
        return Estimate(
            self._judge.candidate.id,
            self._calls,
            self.kept,
            self.private,
            self._likely if has_price else None,
            self._most if has_price else None,
            self._calls * each_s / at_once,
        )


def _lot(seed: int, key: str) -> bytes:
    """A place in an order that depends on nothing but the seed and the key: the same after a restart."""
    return sha256(f"{seed}:{key}".encode("utf-8", "surrogatepass")).digest()
