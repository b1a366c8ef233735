"""Never run: shows the adapters of other frameworks to the type checkers, in the frameworks' own types."""

from __future__ import annotations

from typing import assert_type

from agents import Agent as OpenAIAgent
from agents import ModelProvider, RunConfig
from mcp.server import MCPServer
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.models import Model
from pydantic_ai.run import AgentRunResult

from edgewise import Router
from edgewise.domain.decisions import Feedback
from edgewise.integrations.mcp import server
from edgewise.integrations.openai_agents import EdgewiseProvider
from edgewise.integrations.openai_client import client
from edgewise.integrations.pydantic_ai import EdgewiseModelSettings, RoutedModel, Routing, feedback_on


class City(BaseModel):
    name: str


model: Model = RoutedModel("edgewise.toml", "auto", privacy="local", objective="cheapest")
routing: AbstractCapability[int] = Routing[int](Router(), candidates=["a"], judge=lambda _: {"rating": 4.0})
provider: ModelProvider = EdgewiseProvider(privacy="local")
settings = EdgewiseModelSettings(temperature=0.2, edgewise_candidates=["a", "b"], edgewise_deadline_s=2.0)


async def use(router: Router) -> None:
    model = RoutedModel(router, settings=settings)
    agent = Agent(model, output_type=City, deps_type=int, capabilities=[routing])
    result = await agent.run("Which city?", deps=1)
    assert_type(result, AgentRunResult[City])
    assert_type(await feedback_on(router, result, success=True), Feedback)
    assert_type(await RoutedModel(router).feedback(result, rating=5.0), Feedback)
    assert_type(client(router, privacy="local"), AsyncOpenAI)
    assert_type(server(router), MCPServer)
    RunConfig(model_provider=provider)
    OpenAIAgent("helper", model=EdgewiseProvider(router).get_model("auto"))
