"""Two edges and two clouds; the harder prompt goes further up."""

import asyncio
import os

from dotenv import load_dotenv

from edgewise.integrations.oblix import ModelType, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor

HARD = (
    "Compare the consequences of lattice cryptography for banks, for governments and for hospitals, with "
    "the proofs that each of them would have to ask for before it could rely on any of the new schemes."
)


async def main() -> None:
    load_dotenv()
    client = OblixClient(oblix_api_key=os.getenv("OBLIX_API_KEY"))
    for name in ("phi", "llama2"):
        await client.hook_model(
            model_type=ModelType.OLLAMA, model_name=name, endpoint=os.environ["OLLAMA_BASE_URL"]
        )
    for name in ("gpt-3.5-turbo", "gpt-4"):
        await client.hook_model(
            model_type=ModelType.OPENAI, model_name=name, api_key=os.getenv("OPENAI_API_KEY")
        )
    client.hook_agent(ResourceMonitor(name="resource_monitor"))
    client.hook_agent(ConnectivityAgent(name="connectivity_monitor"))
    print("easy:", (await client.execute("Two plus two?"))["model_id"])
    print("hard:", (await client.execute(HARD))["model_id"])
    await client.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
