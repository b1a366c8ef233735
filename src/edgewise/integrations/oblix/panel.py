"""The hooked agents, asked together."""

from __future__ import annotations

import logging
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from edgewise.integrations.oblix.agents.connectivity import ConnectivityAgent
from edgewise.integrations.oblix.verdict import sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.integrations.oblix.agents.base import BaseAgent

    Checks = dict[str, dict[str, Any]]

logger = logging.getLogger(__name__)


class Panel:
    """Agents by name, in the order in which they were hooked.

    One that fails has no say in that request, and stands in the checks with the state `error`.
    """

    def __init__(self) -> None:
        self.agents: dict[str, BaseAgent] = {}
        self._ready: list[BaseAgent] = []

    def add(self, agent: BaseAgent) -> None:
        """Ask this one too. One of the same name is replaced."""
        self.agents[agent.name] = agent

    @property
    def check_interval_s(self) -> float | None:
        """The shortest time between looks at an endpoint that one of them asks for."""
        asked = [a.check_interval for a in self.agents.values() if isinstance(a, ConnectivityAgent)]
        return min(map(float, asked), default=None)

    async def asked(self, **what: Any) -> Checks:
        """What each agent says of a request."""
        return {name: await self._said(name, agent, what) for name, agent in tuple(self.agents.items())}

    async def looked_again(self, checks: Mapping[str, dict[str, Any]], **what: Any) -> Checks:
        """The same checks after a model could not be reached: those who watch the way look once more."""
        return {
            name: await self._said(name, agent, what)
            if isinstance(agent := self.agents.get(name), ConnectivityAgent)
            else said
            for name, said in checks.items()
        }

    async def shutdown(self) -> None:
        """End the agents that were begun, those that were replaced too."""
        ready, self._ready = self._ready, []
        for agent in ready:
            try:
                await agent.shutdown()
            except Exception as error:  # noqa: BLE001 - it is somebody else's agent, and the others end too
                logger.warning("The agent %s did not shut down: %s", agent.name, error)

    async def _said(self, name: str, agent: BaseAgent, what: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if not any(agent is one for one in self._ready):
                if await agent.initialize() is False:
                    raise RuntimeError("initialize gave False")  # noqa: TRY301 - one way for all failures
                self._ready.append(agent)
            said: Any = agent.check(**what)  # which some write without async
            return sound(name, await said if isawaitable(said) else said)
        except Exception as error:  # noqa: BLE001 - it is somebody else's agent
            logger.warning("The agent %s failed: %s", name, error)
            return sound(name, {"state": "error", "reason": f"The check failed: {error}"})
