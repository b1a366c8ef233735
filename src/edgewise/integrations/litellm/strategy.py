"""A routing strategy for LiteLLM's own router: its deployments are Edgewise's candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from litellm.types.router import CustomRoutingStrategyBase  # pyright: ignore[reportMissingTypeStubs]

from edgewise.domain.errors import EdgewiseError, RequestError
from edgewise.gateway.chat_body import parse_chat
from edgewise.integrations.asking import told
from edgewise.integrations.litellm.errors import raised
from edgewise.integrations.opening import Opening

if TYPE_CHECKING:
    from litellm.router import Router as Asked

    from edgewise.library import Router, Source

KEYS = ("tools", "response_format", "max_tokens", "max_completion_tokens", "n", "edgewise")


class EdgewiseStrategy(CustomRoutingStrategyBase):
    """`asked.set_custom_routing_strategy(EdgewiseStrategy(asked, "edgewise.toml"))`.

    A deployment whose `model_info` has the `id` of a candidate is that candidate. Of those that LiteLLM takes
    for healthy, Edgewise says which is asked, under its rules, policy and `wishes` (`privacy="local"` …);
    LiteLLM asks it, so that Edgewise's log knows nothing of the answer. The request's `metadata` get the
    decision, under `edgewise`.
    """

    def __init__(
        self, asked: Asked, router: Router | Opening | Source | None = None, **wishes: str | None
    ) -> None:
        self._asked = asked
        self._opening = router if isinstance(router, Opening) else Opening(router)
        self._wishes = {name: said for name, said in wishes.items() if said is not None}

    async def async_get_available_deployment(
        self,
        model: str,
        messages: list[dict[str, str]] | None = None,
        input: str | list[Any] | None = None,  # noqa: A002 - LiteLLM's own
        specific_deployment: bool | None = False,  # noqa: FBT001, FBT002 - LiteLLM's own
        request_kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The deployment that is to answer. Raises an error with LiteLLM's status where none may."""
        try:
            router = await self._opening.router()
            return await self._chosen(router, model, messages, input, specific_deployment, request_kwargs)
        except EdgewiseError as error:
            raised(error)

    def get_available_deployment(
        self,
        model: str,
        messages: list[dict[str, str]] | None = None,
        input: str | list[Any] | None = None,  # noqa: A002 - LiteLLM's own
        specific_deployment: bool | None = False,  # noqa: FBT001, FBT002 - LiteLLM's own
        request_kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The same for synchronous code."""
        try:
            router = self._opening.now()
            return router.waited(
                self._chosen(router, model, messages, input, specific_deployment, request_kwargs)
            )
        except EdgewiseError as error:
            raised(error)

    async def _chosen(  # noqa: PLR0913, PLR0917 - what LiteLLM hands over
        self,
        router: Router,
        model: str,
        messages: list[dict[str, str]] | None,
        input: str | list[Any] | None,  # noqa: A002 - LiteLLM's own
        specific_deployment: bool | None,  # noqa: FBT001 - LiteLLM's own
        request_kwargs: dict[str, Any] | None,
    ) -> Any:
        said = request_kwargs if request_kwargs is not None else {}
        asked: Any = self._asked
        healthy: Any = await asked.async_get_healthy_deployments(
            model=model,
            request_kwargs=said,
            messages=messages,
            input=input,
            specific_deployment=specific_deployment,
        )
        if not isinstance(healthy, list):
            return healthy  # the one that was asked for by name
        if not messages:
            raise RequestError("Edgewise chooses by the words of a conversation; there are no `messages`.")
        return await self._best(router, model, messages, cast("list[dict[str, Any]]", healthy), said)

    async def _best(
        self,
        router: Router,
        model: str,
        messages: list[dict[str, str]],
        healthy: list[dict[str, Any]],
        said: dict[str, Any],
    ) -> dict[str, Any]:
        by_id = {str(one["model_info"]["id"]): one for one in healthy}
        known = [one.id for one in router.opened.router.candidates if one.id in by_id]
        if not known:
            raise RequestError(
                f"None of the deployments of '{model}' is a candidate of Edgewise; give their `model_info` "
                "the candidates' ids."
            )
        body = {name: said[name] for name in KEYS if said.get(name) is not None}
        request = parse_chat(
            msgspec.json.encode({**body, "messages": messages}),
            {**self._wishes, "candidates": ",".join(known)},
        )
        decision = await router.awaited(router.opened.router.decide(request))
        said.setdefault("metadata", {})["edgewise"] = told(decision)
        return by_id[decision.chosen]
