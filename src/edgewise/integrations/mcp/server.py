"""Three tools: who would answer, why somebody did, and how it has been going."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from msgspec import to_builtins
from msgspec.structs import replace

from edgewise.domain.errors import EdgewiseError, RequestError
from edgewise.domain.privacy import promise_for
from edgewise.integrations.mcp.statistics import statistics
from edgewise.integrations.opening import Opening
from edgewise.outcomes.explain import explain as explained

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from edgewise.domain.stories import Story
    from edgewise.library import Router, Source

P = ParamSpec("P")
T = TypeVar("T")
ABOUT = (
    "Edgewise decides, prompt by prompt, whether a model on this machine (the edge) or one across the "
    "network (the cloud) answers. `route` says who would answer and why; nobody is asked. `explain` tells "
    "a past decision in plain sentences. `stats` sums up the log."
)
TOLD = ("chosen", "location", "reason", "policy", "odds", "forecasts", "objections", "micros")


def server(router: Router | Source | None = None) -> MCPServer:
    """A server over a router: an `edgewise.Router`, open or not, or what one is made of.

    `server(…).run()` speaks on standard input and output until that ends.
    """
    opening = Opening(router)

    @asynccontextmanager
    async def living(_: MCPServer) -> AsyncGenerator[None]:
        await opening.enter()
        try:
            yield
        finally:
            await opening.leave()

    served: MCPServer = MCPServer("edgewise", instructions=ABOUT, lifespan=living)
    tools = Tools(opening)
    for tool in (tools.route, tools.explain, tools.stats):
        served.add_tool(tool)
    return served


def in_a_sentence(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose errors reach the caller as they are; others than ours stay in the server's own log."""

    @wraps(tool)
    async def told(*args: P.args, **named: P.kwargs) -> T:
        try:
            return await tool(*args, **named)
        except EdgewiseError as error:
            raise ToolError(str(error)) from error

    return told


def withheld(story: Story) -> Story:
    """A story as an assistant may hear it, who may be anywhere: a private one without its texts."""
    if (privacy := promise_for(story.decision)) is None:
        return story
    text, outcome = f"(not told here: it is private, {privacy})", story.outcome
    if outcome is not None and outcome.response is not None:
        outcome = replace(outcome, response=text)
    return replace(
        story,
        decision=story.decision if story.decision.prompt is None else replace(story.decision, prompt=text),
        outcome=outcome,
        feedback=tuple(replace(said, comment=said.comment and text) for said in story.feedback),
        shadow=None if story.shadow is None else withheld(story.shadow),
    )


class Tools:
    """What may be called. Errors are one sentence, which the caller gets as the tool's error."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    @in_a_sentence
    async def route(self, prompt: str, model: str = "auto", local: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - JSON has no keywords
        """Say which model would answer a prompt, and why; nobody is asked, nothing is recorded.

        `model` is "auto", "auto:NAME" for another policy, or a candidate's id; `local` keeps it on this
        machine.
        """
        router = await self._opening.router()
        decision = await router.decide(prompt, model=model, local=local)
        told: dict[str, Any] = {name: to_builtins(getattr(decision, name)) for name in TOLD}
        told["candidate"] = told.pop("chosen")
        return told

    @in_a_sentence
    async def explain(self, decision: str = "last") -> str:
        """Tell a past decision in plain sentences: who was asked, why, how it went, what it cost.

        `decision` is its id, a beginning that only it has, or "last". The texts of a private one stay here.
        """
        reader = (await self._opening.router()).opened.reader
        story = await asyncio.to_thread(reader.decision, decision)
        if story is None:
            raise EdgewiseError(f"There is no decision {decision[:100]!r} in the log.")
        return explained(withheld(story))

    @in_a_sentence
    async def stats(self, hours: float = 24.0) -> dict[str, Any]:
        """Sum up the last `hours`: requests, the edge's share; failures, latency, cost by candidate."""
        if not 0.0 < hours < float("inf"):
            raise RequestError("`hours` is a number above 0.")
        router = await self._opening.router()
        edges = {candidate.id for candidate in router.candidates if candidate.location == "edge"}
        return await asyncio.to_thread(statistics, router.opened.reader, hours, edges)
