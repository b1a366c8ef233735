"""An agent of one's own that watches a budget; never calls `shutdown`."""

import asyncio
from typing import Any

from edgewise.integrations.oblix import ModelType, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor
from edgewise.integrations.oblix.agents.base import BaseAgent

PRICES = {"openai:gpt-3.5-turbo": 0.0015, "openai:gpt-4": 0.03}


class Purse(BaseAgent):
    """Long prompts may go to a cloud while there is money, the others never."""

    def __init__(self, name: str = "purse", budget: float = 0.0001) -> None:
        super().__init__(name)
        self.budget, self.spent = budget, 0.0

    async def initialize(self) -> bool:
        self.is_active = True
        return True

    async def check(self, **kwargs: Any) -> dict[str, Any]:
        used = self.spent / self.budget
        rich = used < 0.85
        target = "cloud" if rich and len(kwargs.get("prompt", "").split()) > 5 else "local"
        return {
            "proceed": True,
            "state": "budget_available" if rich else "budget_critical",
            "target": target,
            "reason": f"{used:.0%} is spent",
            "metrics": {"spent": self.spent},
        }

    async def shutdown(self) -> None:
        self.is_active = False


async def main() -> None:
    client = OblixClient(oblix_api_key="your_oblix_api_key")
    await client.hook_model(model_type=ModelType.OLLAMA, model_name="llama2")
    for name in PRICES:
        await client.hook_model(
            model_type=ModelType.OPENAI,
            model_name=name.partition(":")[2],
            api_key="your_openai_api_key",
        )
    client.hook_agent(ResourceMonitor())
    client.hook_agent(ConnectivityAgent())
    purse = Purse()
    client.hook_agent(purse)
    for prompt in ("What time is it?", *["Say in a few words how plants eat light"] * 8):
        answer = await client.execute(prompt)
        metrics = answer["metrics"]
        tokens = metrics["input_tokens"] + metrics["output_tokens"]
        purse.spent += tokens / 1000 * PRICES.get(answer["model_id"], 0.0)
        print(answer["model_id"], answer["agent_checks"]["purse"]["state"])


if __name__ == "__main__":
    asyncio.run(main())
