"""Models for agents, each a router's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import ModelProvider, OpenAIChatCompletionsModel

from edgewise.integrations.feedback import send
from edgewise.integrations.openai_client import client
from edgewise.integrations.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents import Model, ModelResponse

    from edgewise.domain.decisions import Feedback
    from edgewise.library import Router, Source

AUTO = "auto"


class EdgewiseProvider(ModelProvider):
    """A provider of models: `auto`, `auto:NAME` and the candidates' ids; without a name it is `auto`.

    `RunConfig(model_provider=EdgewiseProvider("edgewise.toml"))`, or a single agent's
    `model=EdgewiseProvider(…).get_model("auto")`. `router` is an `edgewise.Router`, open or not, or what one
    is made of; the wishes hold for every request. Whoever called a tool gets its result. The `request_id` of
    a response is the decision's: `edgewise explain` and `feedback` take it.
    """

    def __init__(
        self,
        router: Router | Source | None = None,
        *,
        privacy: str | None = None,
        objective: str | None = None,
        session: str | None = None,
        candidates: Sequence[str] | None = None,
    ) -> None:
        self._opening = Opening(router)
        only = None if candidates is None else ",".join(candidates)
        wishes = {"privacy": privacy, "objective": objective, "session": session, "candidates": only}
        self._client = client(self._opening, **wishes)

    def get_model(self, model_name: str | None) -> Model:
        """The model of that name. One that does not exist is refused when it is asked."""
        return OpenAIChatCompletionsModel(model_name or AUTO, self._client)

    async def feedback(self, on: ModelResponse | str, *, source: str = "user", **said: Any) -> Feedback:
        """Tell Edgewise what a response was worth: `success`, `rating`, `thumbs`, `quality`, `comment` …

        Raises RequestError for what says nothing.
        """
        decision = on if isinstance(on, str) else on.request_id or ""
        return await send(await self._opening.router(), decision, source=source, **said)
