"""A loop over what somebody types; never calls `shutdown`."""

import asyncio

from edgewise.integrations.oblix import ModelType, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor


async def main() -> None:
    client = OblixClient(oblix_api_key="your_oblix_api_key")
    await client.hook_model(model_type=ModelType.OLLAMA, model_name="llama2")
    await client.hook_model(
        model_type=ModelType.OPENAI, model_name="gpt-3.5-turbo", api_key="your_openai_api_key"
    )
    client.hook_agent(
        ConnectivityAgent(latency_threshold=100.0, packet_loss_threshold=5.0, bandwidth_threshold=10.0)
    )
    lenient = {"cpu_threshold": 90.0, "memory_threshold": 90.0, "gpu_threshold": 90.0, "critical_gpu": 95.0}
    client.hook_agent(ResourceMonitor(custom_thresholds=lenient))
    while (typed := input("You: ")).lower() != "exit":  # noqa: ASYNC250 - what the loop is about
        try:
            answer = await client.execute(typed)
            print(answer["model_id"], "|", answer["response"])
            if answer["agent_checks"].get("connectivity_monitor", {}).get("state") == "disconnected":
                print("[offline]")
        except Exception as error:  # noqa: BLE001 - as such programs do
            print(f"Error: {error}")


if __name__ == "__main__":
    asyncio.run(main())
