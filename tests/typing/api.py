"""Never run: shows the public types to the type checkers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import assert_type

from edgewise.constraints import Capability, Pin
from edgewise.domain.candidates import Candidate, Objection
from edgewise.domain.decisions import Decision, Odds
from edgewise.domain.protocols import Constraint, Featurizer, OutcomeLog, Policy, Upstream
from edgewise.domain.requests import Request, Situation
from edgewise.domain.signals import Signals
from edgewise.execution import Answer
from edgewise.features import TextFeatures
from edgewise.outcomes import MemoryLog, SqliteLog
from edgewise.policies import Complexity, Explore, Fixed, Uniform
from edgewise.router import Router
from edgewise.upstreams.openai import OpenAICompatible
from edgewise.upstreams.scripted import Scripted
from edgewise.upstreams.simulated import SimulatedNetwork

policies: list[Policy] = [Complexity(), Fixed("a"), Uniform(), Explore(Uniform(), 0.1)]
constraints: list[Constraint] = [Pin(), Capability()]
featurizer: Featurizer = TextFeatures()
upstreams: list[Upstream] = [Scripted(["x"]), OpenAICompatible("a", "m", "http://127.0.0.1/v1")]
behind: Upstream = SimulatedNetwork(upstreams[0])


class Mine:
    """A policy of somebody else's."""

    name = "mine"

    def odds(self, situation: Situation) -> Odds:
        return Odds.even(situation.shortlist)


class Never:
    """A constraint of somebody else's."""

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        del request, signals
        return Objection(candidate.id, "allow", "never")


mine: Constraint = Never()


def logs(sqlite: SqliteLog, memory: MemoryLog) -> list[OutcomeLog]:
    return [sqlite, memory]


async def use(router: Router, request: Request) -> None:
    assert_type(await router.decide(request), Decision)
    answer = await router.route(request)
    assert_type(answer, Answer)
    assert_type(answer.pieces, AsyncGenerator[bytes, None] | None)
