"""The client: models and agents are hooked, prompts are executed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import SettingsError
from edgewise.integrations.oblix.agents.base import BaseAgent
from edgewise.integrations.oblix.asking import attempt
from edgewise.integrations.oblix.errors import NoAnswer
from edgewise.integrations.oblix.models import candidate_of
from edgewise.integrations.oblix.panel import Panel
from edgewise.integrations.oblix.running import Running
from edgewise.integrations.oblix.verdict import allowed, target_of
from edgewise.library import Router
from edgewise.monitors.registry import is_off
from edgewise.settings.schema import (
    ConstraintsSettings,
    ExecutionSettings,
    PolicySettings,
    Settings,
    SignalsSettings,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from edgewise.integrations.oblix.models import ModelType
    from edgewise.settings.schema import CandidateSettings

FIRST_LOOK_S = 1.0
POLL_S = 0.01
SHORTEST_INTERVAL_S = 1.0
# The agents judge the machine; that an endpoint is out of reach holds for everybody.
CONSTRAINTS = ConstraintsSettings(resources="off")
TIERS = PolicySettings(kind="tiers", explore=0.0)
ONCE = ExecutionSettings(fallback=False, retries=0)  # the client moves on itself, past its agents


class OblixClient:
    """Executes prompts on the hooked models, where the hooked agents allow it.

    Models are tiers in the order in which they were hooked; among those that the agents leave, the harder
    prompt goes to the higher tier. `oblix_api_key` is accepted and not used. What runs in the background
    ends with `shutdown`, or with the program.
    """

    def __init__(self, oblix_api_key: str | None = None, **_: Any) -> None:
        del oblix_api_key
        self._panel = Panel()
        self._models: dict[str, CandidateSettings] = {}
        self._keys: dict[str, str] = {}
        self._running: Running | None = None
        self._changed = False
        self._opening = asyncio.Lock()

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of the hooked models, lowest tier first."""
        return tuple(self._models)

    @property
    def agents(self) -> Mapping[str, BaseAgent]:
        """The hooked agents by name."""
        return dict(self._panel.agents)

    async def hook_model(
        self,
        model_type: ModelType | str,
        model_name: str,
        endpoint: str | None = None,
        api_key: str | None = None,
        **_: Any,
    ) -> bool:
        """Add a model; True. Without `api_key` the environment's own variable is read.

        Nobody is asked yet: a model that is not there shows when it is its turn, and others are tried.
        Raises SettingsError for a kind, a name or an endpoint that is none.
        """
        candidate = candidate_of(model_type, model_name, endpoint)
        self._models[candidate.id] = candidate
        if api_key:
            self._keys[candidate.id] = api_key
        self._changed = True
        return True

    def hook_agent(self, agent: BaseAgent) -> bool:
        """Add an agent, to be asked before each request; True. One of the same name is replaced."""
        if not _is_agent(agent):
            raise SettingsError(
                f"hook_agent: {type(agent).__name__} is no agent with a name; expected a BaseAgent whose "
                "__init__ calls super().__init__(name)."
            )
        self._panel.add(agent)
        self._changed = True  # it may want to be told more often
        return True

    async def execute(self, prompt: str, model_id: str | None = None, **options: Any) -> dict[str, Any]:
        """Ask the agents, then the best of the models that they leave; or `model_id`, unless blocked.

        `options` are further keys of a chat body (`temperature`, `max_tokens`), or `local=True`, which keeps
        the prompt on this machine. Gives a dict with `request_id`, `model_id`, `response`, `metrics` and
        `agent_checks`. Raises `Blocked`, `NoAnswer` once there is no other model to try, and SettingsError
        where `model_id`, or any model at all, is not hooked.
        """
        if not self._models:
            raise SettingsError("No model is hooked; call hook_model first.")
        if model_id is not None and model_id not in self._models:
            hooked = ", ".join(self._models)
            raise SettingsError(f"model_id is '{model_id[:100]}', which is not hooked; hooked are {hooked}.")
        options = {name: value for name, value in options.items() if value is not None}
        async with self._in_use() as router:
            return await self._executed(router, prompt, model_id, options)

    async def shutdown(self) -> None:
        """End the agents and whatever runs. Executing again begins anew."""
        await self._panel.shutdown()
        await self._leave()

    async def _executed(
        self, router: Router, prompt: str, model_id: str | None, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Ask who stands at the target; where none of them answers, whoever is left."""
        asked = {"prompt": prompt, "model_id": model_id, "candidates": router.candidates}
        checks = await self._panel.asked(**asked, signals=router.signals)
        reasons: dict[str, str] = {}
        away: set[str] = set()
        left = [one for one in router.candidates if model_id in (None, one.id)]
        while left:
            names = allowed(target_of(checks), left)
            tried = await router.awaited(attempt(router, prompt, options, names, pin=model_id))
            if tried.answer is not None:
                return {**tried.answer, "agent_checks": checks}
            reasons.update(tried.reasons or dict.fromkeys(names, "It was not asked"))
            if tried.away:
                away.update(tried.away)
                checks = await self._panel.looked_again(
                    checks, **asked, signals=router.signals, unreachable=away
                )
            left = [one for one in left if one.id not in reasons]
        raise NoAnswer(reasons)

    @asynccontextmanager
    async def _in_use(self) -> AsyncGenerator[Router]:
        """The router of what is hooked now. One that was left meanwhile ends after its last request."""
        async with self._opening:
            if self._changed:
                await self._leave()
            running = self._running
            if running is None or not running.is_open:
                running = await self._opened()
            running.users += 1
        try:
            yield running.router
        finally:
            running.users -= 1
            if running is not self._running and not running.users:
                await running.close()

    async def _opened(self) -> Running:
        self._changed = False
        running = Running(Router(self._settings(), keys=self._keys))
        await running.open()
        self._running = running
        await self._first_look(running.router)
        return running

    async def _leave(self) -> None:
        """Let the running router end; requests under way keep it until they are answered."""
        running, self._running = self._running, None
        if running is not None and not running.users:
            await running.close()

    async def _first_look(self, router: Router) -> None:
        """Wait a moment for the first readings, so that the first prompt is not decided blindly."""
        if is_off(SignalsSettings()):
            return
        wanted = {"memory", *(f"online:{name}" for name in self._models)}
        for _ in range(int(FIRST_LOOK_S / POLL_S)):
            signals = router.signals
            if all(name in signals and signals[name].state != "unknown" for name in wanted):
                return
            await asyncio.sleep(POLL_S)

    def _settings(self) -> Settings:
        interval = self._panel.check_interval_s
        signals = SignalsSettings()
        if interval is not None:
            signals = SignalsSettings(probe_after_s=max(SHORTEST_INTERVAL_S, interval))
        models = tuple(self._models.values())
        return Settings(
            candidates=models, policy=TIERS, constraints=CONSTRAINTS, signals=signals, execution=ONCE
        )


def _is_agent(given: object) -> bool:
    return isinstance(given, BaseAgent) and bool(getattr(given, "name", ""))
