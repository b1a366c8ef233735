"""`edgewise serve` that tells, at SIGUSR1, how many asyncio tasks it has: `counted.py FILE [OPTIONS]`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from edgewise.cli import main


def serve(told: Path, options: list[str]) -> None:
    """Serve; at each signal a line with the number of tasks that are not done."""

    def tell(number: int, frame: object) -> None:
        del number, frame
        tasks = asyncio.all_tasks(asyncio.get_running_loop())
        with told.open("a") as file:
            file.write(f"{len(tasks)}\n")

    signal.signal(signal.SIGUSR1, tell)
    sys.argv = ["edgewise", "serve", *options]
    main()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2:])
