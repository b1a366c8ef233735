"""A capability that decides who answers an agent, once a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import RetryModelRequest, UnexpectedModelBehavior
from pydantic_ai.tools import AgentDepsT, RunContext

from edgewise.domain.errors import StoreError
from edgewise.integrations.opening import Opening
from edgewise.integrations.pydantic_ai.model import RoutedModel
from edgewise.integrations.pydantic_ai.responses import decided_in
from edgewise.integrations.pydantic_ai.runs import RunModel, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model, ModelRequestContext
    from pydantic_ai.run import AgentRunResult

    from edgewise.domain.decisions import Feedback
    from edgewise.library import Router, Source

    Judged = Mapping[str, Any] | bool | float | None

logger = logging.getLogger(__name__)
RUN = "pydantic-ai"


class Routing(AbstractCapability[AgentDepsT]):
    """Gives an agent its model: one that Edgewise chooses once a run.

    `Agent(capabilities=[Routing("edgewise.toml")])`. The arguments are a `RoutedModel`'s. Each step of a run
    stays with whoever answered the first. Where that one fails, another is chosen among those that have not
    failed in this run, unless a candidate is pinned.

    What comes of a run is written down as feedback: a response that had to be sent back, because its output
    or a tool's arguments were refused, was no success; one whose output passed the agent's own checks was
    (plain text passes none, so it says nothing). `judge` says more of a finished run: a success between 0 and
    1, or any feedback by name; `feedback=False` writes nothing.
    """

    def __init__(  # noqa: PLR0913 - everything but the router is optional
        self,
        router: Router | Source | None = None,
        model: str = "auto",
        *,
        privacy: str | None = None,
        objective: str | None = None,
        session: str | None = None,
        candidates: Sequence[str] | None = None,
        judge: Callable[[AgentRunResult[Any]], Judged] | None = None,
        feedback: bool = True,
    ) -> None:
        super().__init__()
        opening, wishes = Opening(router), {"privacy": privacy, "objective": objective, "session": session}
        self._begin = partial(RunModel, opening, model, candidates=candidates, **wishes)
        self._judge, self._feedback = judge, feedback
        self.model = RoutedModel(opening, model)
        self.run: RunModel | None = None

    def get_model(self) -> Model:
        """The model of this run."""
        return self.run or self._begin()

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> Routing[AgentDepsT]:
        """The same capability for one run: what it remembers is the run's own."""
        del ctx
        mine = copy(self)
        mine.run = self._begin()
        return mine

    async def on_model_request_error(
        self, ctx: RunContext[AgentDepsT], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        """Have another chosen, if there is one; otherwise what failed first is raised."""
        del ctx, request_context
        run = self.run
        if run is None or not run.raised(error):
            raise error
        if await run.give_up(error):
            raise RetryModelRequest
        raise run.error or error

    async def before_model_request(
        self, ctx: RunContext[AgentDepsT], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Note what had to be sent back."""
        del ctx
        response = refused(request_context.messages)
        if self.run is not None and response is not None:
            self.run.refused.append(response)
        return request_context

    async def after_model_request(
        self, ctx: RunContext[AgentDepsT], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Note who answered last."""
        del ctx, request_context
        if self.run is not None:
            self.run.last = response
        return response

    async def after_run(
        self, ctx: RunContext[AgentDepsT], *, result: AgentRunResult[Any]
    ) -> AgentRunResult[Any]:
        """Write down what came of it."""
        del ctx
        await self._tell_refused()
        if self._feedback and decided_in(result.response):
            await self._tell(result.response, self._judged(result))
        return result

    async def on_run_error(self, ctx: RunContext[AgentDepsT], *, error: BaseException) -> AgentRunResult[Any]:
        """A run whose output never passed was no success."""
        del ctx
        if self.run is not None and isinstance(error, UnexpectedModelBehavior):
            await self._tell_refused()
            last = self.run.last
            if self._feedback and last is not None and decided_in(last):
                await self._tell(last, judged=False)
        raise error

    async def feedback(
        self, on: AgentRunResult[Any] | ModelResponse | str, *, source: str = "user", **said: Any
    ) -> Feedback:
        """Tell Edgewise what an answer was worth, as `RoutedModel.feedback` does."""
        return await self.model.feedback(on, source=source, **said)

    async def _tell_refused(self) -> None:
        responses = self.run.refused if self.run is not None and self._feedback else []
        for response in responses:
            await self._tell(response, judged=False)

    async def _tell(self, response: ModelResponse, judged: Judged) -> None:
        if judged is not None:
            said = judged if isinstance(judged, Mapping) else {"success": float(judged)}
            try:
                await self.model.feedback(response, source=RUN, **said)
            except StoreError as error:  # the run has its result all the same
                logger.warning("What came of a run is not written down: %s", error)

    def _judged(self, result: AgentRunResult[Any]) -> Judged:
        """What the caller's judge says, or else whether the output passed a check at all."""
        judged = self._judge(result) if self._judge is not None else None
        return True if judged is None and not isinstance(result.output, str) else judged
