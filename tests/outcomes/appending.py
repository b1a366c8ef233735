"""A process that appends until it is killed, and prints the id of every record that was acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.outcomes.sample import decision, outcome

from edgewise.outcomes import SqliteLog


def say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


async def main(path: Path, most: int) -> None:
    async with SqliteLog(path) as log:

        async def client() -> None:
            for _ in range(most):
                asked = decision()
                await log.append(asked)
                say(f"decision {asked.id}\n")
                await log.append(outcome(asked))
                say(f"outcome {asked.id}\n")

        await asyncio.gather(*(client() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
