"""Short prompts are pinned to the edge, the others are orchestrated; never calls `shutdown`."""

import asyncio

from edgewise.integrations.oblix import ModelType, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor

TASKS = ("What is 3 + 4?", "Explain how a compiler allocates registers, and what it does when it runs out.")


async def main() -> None:
    client = OblixClient(oblix_api_key="your_oblix_api_key")
    await client.hook_model(model_type=ModelType.OLLAMA, model_name="phi")
    await client.hook_model(
        model_type=ModelType.OPENAI, model_name="gpt-3.5-turbo", api_key="your_openai_api_key"
    )
    client.hook_agent(ResourceMonitor())
    client.hook_agent(ConnectivityAgent(latency_threshold=100.0, check_interval=15))
    for task in TASKS:
        if "explain" in task.lower():
            answer = await client.execute(task)
        else:
            answer = await client.execute(task, model_id="ollama:phi")
        metrics = answer.get("metrics", {})
        print(answer["model_id"], "|", answer["response"], "|", metrics["total_latency"] > 0)


if __name__ == "__main__":
    asyncio.run(main())
