"""One run of an agent: who answers it is decided once, and whoever fails in it is not asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import ModelRequest, ModelResponse, RetryFeedbackPart, ToolReturnPart

from edgewise.integrations.asking import Asking
from edgewise.integrations.pydantic_ai.model import RoutedModel
from edgewise.integrations.pydantic_ai.responses import decided_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_ai.messages import ModelMessage, ModelRequestPart


class RunModel(RoutedModel):
    """A `RoutedModel` for the length of one run.

    The first request is placed as any other; those after it, tool calls and retries, stay with whoever
    answered, as long as that one may. `error` is what the run failed with first, `refused` are the responses
    that had to be sent back, `last` is the latest.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._latest: Asking | None = None
        self._failed: frozenset[str] = frozenset()
        self.error: Exception | None = None
        self.refused: list[ModelResponse] = []
        self.last: ModelResponse | None = None

    @property
    def candidate(self) -> str | None:
        """Who answers this run, once that is decided."""
        latest = self._latest
        return None if latest is None or latest.error is not None else latest.decided.chosen

    def raised(self, error: Exception) -> bool:
        """Whether an error is that of this run's last request."""
        latest = self._latest
        return latest is not None and latest.error is not None and error.__cause__ is latest.error

    async def give_up(self, error: Exception) -> bool:
        """Note that the last request failed; whether anybody is left who could take over.

        A strict pin is never replaced.
        """
        self.error = self.error or error
        latest = self._latest
        if latest is None or not latest.tried or self._is_pinned:
            return False
        self._failed |= latest.tried
        return bool(await self._left())

    async def _placed(self, body: dict[str, Any], messages: Sequence[ModelMessage]) -> Asking:
        router = await self._opening.router()
        if self._failed:
            body["edgewise"] = {**body["edgewise"], "candidates": await self._left()}
        if self.candidate is None:
            asking = await super()._placed(body, messages)
        else:
            asking = Asking(router, body, previous=self.candidate, keep=True)
        self._latest = asking
        return asking

    async def _left(self) -> list[str]:
        """Who has not failed in this run."""
        known = [candidate.id for candidate in (await self._opening.router()).candidates]
        wanted = self._wishes.get("candidates", known)
        return [name for name in known if name in wanted and name not in self._failed]


def refused(messages: Sequence[ModelMessage]) -> ModelResponse | None:
    """The last response, where it could not be used: its output or a tool's arguments were sent back."""
    match messages:
        case [*_, ModelResponse() as response, ModelRequest() as request] if decided_in(response):
            return response if any(map(_refuses, request.parts)) else None
        case _:
            return None


def _refuses(part: ModelRequestPart) -> bool:
    return isinstance(part, RetryFeedbackPart) or (
        isinstance(part, ToolReturnPart) and part.outcome == "retried"
    )
