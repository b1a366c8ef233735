"""What a profile would take before anybody is asked: calls, time and money."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.privacy import permits, privacy_of
from edgewise.learning.profile.asking import request_for
from edgewise.learning.profile.journal import OUTCOMES, Ended, Names, lines
from edgewise.learning.profile.manifest import continued
from edgewise.learning.profile.order import copied
from edgewise.learning.profile.rows import Call
from edgewise.learning.profile.run import lanes_for, most_usd
from edgewise.learning.profile.summary import Measured, summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.learning.profile.profile import Plan
    from edgewise.learning.profile.run import Lane
    from edgewise.learning.profile.summary import Summary
    from edgewise.learning.prompts.files import Prompt

ASSUMED_TOKENS_PER_S = 30.0
ASSUMED_FIRST_S = 0.5


class Estimate(Struct, frozen=True):
    """One candidate's calls that are still to be made.

    `input_tokens` are estimated from the text. `cost_usd` counts answers as long as they were so far
    (`output_tokens`), or as long as they may be; `most_usd` is what cannot be exceeded; both are None without
    a price. `takes_s` is the wall time with `width` calls at a time; `measured` says that it is from calls
    that were made, and not assumed. Candidates of one `lane` share an endpoint, and so its time.
    """

    candidate: str
    location: str
    calls: int
    input_tokens: int
    output_tokens: float
    cost_usd: float | None
    most_usd: float | None
    takes_s: float
    width: int
    lane: int
    measured: bool


def estimate(
    prompts: Iterable[Prompt], folder: Path, plan: Plan, seen_s: Mapping[str, float]
) -> tuple[Estimate, ...]:
    """What is left to do of a profile in `folder`, which need not exist; nothing is written to it.

    `seen_s` are latencies of candidates that were measured elsewhere. Raises what `profiler` raises.
    """
    plan.check()
    continued(folder, plan.settings, plan.candidates)
    done = Names(array("Q", (row.name for row in lines(folder / OUTCOMES, Ended))))
    known = {found.candidate: found for found in summed(lines(folder / OUTCOMES, Measured))}
    counts = {candidate.id: _Count(candidate, plan, done) for candidate in plan.candidates}
    with TemporaryDirectory() as place:
        for key, prompt in copied(prompts, Path(place) / "prompts.jsonl", plan.settings.seed):
            for count in counts.values():
                count.add(key, prompt)
    return tuple(
        counts[candidate.id].estimate(known.get(candidate.id), seen_s, number, lane)
        for number, lane in enumerate(lanes_for(plan.candidates, plan.settings.concurrency, plan.slots))
        for candidate in lane.candidates
    )


def takes_s(estimates: Iterable[Estimate]) -> float:
    """The wall time of all of it: endpoints work side by side, the candidates of one in turn."""
    lanes: dict[int, float] = {}
    for found in estimates:
        lanes[found.lane] = lanes.get(found.lane, 0.0) + found.takes_s
    return max(lanes.values(), default=0.0)


@dataclass(slots=True)
class _Count:
    """One candidate's calls, as they are counted."""

    candidate: Candidate
    plan: Plan
    done: Names
    calls: int = 0
    tokens: int = 0
    most: float = 0.0

    def add(self, key: str, prompt: Prompt) -> None:
        if not permits(privacy_of(prompt.privacy), self.candidate):
            return
        settings = self.plan.settings
        calls = (Call(key, prompt, self.candidate, repeat) for repeat in range(settings.repeats))
        left = sum(call.name not in self.done for call in calls)
        if left:
            request = request_for(prompt, self.candidate, settings)
            self.calls += left
            self.tokens += left * request.needs.input_tokens
            self.most += left * most_usd(request, self.candidate)

    def estimate(
        self, known: Summary | None, seen_s: Mapping[str, float], number: int, lane: Lane
    ) -> Estimate:
        candidate, price = self.candidate, self.candidate.price
        length, latency = float(self.plan.settings.max_tokens), seen_s.get(candidate.id)
        if known is not None and known.output_tokens is not None:
            length, latency = known.output_tokens, known.latency_s or latency
        each = ASSUMED_FIRST_S + length / ASSUMED_TOKENS_PER_S if latency is None else latency
        return Estimate(
            candidate=candidate.id,
            location=candidate.location,
            calls=self.calls,
            input_tokens=self.tokens,
            output_tokens=length,
            cost_usd=None if price is None else price.cost(self.tokens, int(self.calls * length)),
            most_usd=None if price is None else self.most,
            takes_s=self.calls * each / lane.width,
            width=lane.width,
            lane=number,
            measured=latency is not None,
        )
