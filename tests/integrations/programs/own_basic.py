"""An edge, a cloud and both monitors; ends with `shutdown`."""

import asyncio
import os

from dotenv import load_dotenv

from edgewise.integrations.oblix import ModelType, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor


async def main() -> None:
    load_dotenv()
    client = OblixClient(oblix_api_key=os.getenv("OBLIX_API_KEY"))
    await client.hook_model(
        model_type=ModelType.OLLAMA, model_name="llama2", endpoint=os.environ["OLLAMA_BASE_URL"]
    )
    await client.hook_model(
        model_type=ModelType.OPENAI, model_name="gpt-3.5-turbo", api_key=os.getenv("OPENAI_API_KEY")
    )
    client.hook_agent(ResourceMonitor(name="resource_monitor"))
    client.hook_agent(ConnectivityAgent(name="connectivity_monitor"))
    answer = await client.execute("What is a qubit?")
    print(answer["model_id"], "|", answer["response"])
    for name, check in answer["agent_checks"].items():
        print(name, check.get("state"), check.get("target"))
    await client.shutdown()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - as such programs do
        print(f"Error: {error}")
