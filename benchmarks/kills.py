"""A thousand times kill -9 under load: is anything lost that a client was told, is anything there twice?

    python -m benchmarks.kills [--rounds 1000] [--minutes 0] [--state FILE] [--clients 6]

Each round starts a gateway with two scripted candidates on the log that the round before left behind, lets
clients ask for plain and streamed answers in turn, kills the gateway with SIGKILL after 0.1 to 0.9 s (drawn
from the round's number), and reads the log:

- lost: an answer or a stream's first byte reached a client, and its decision is not in the log; or a whole
  answer did, and its outcome is not.
- duplicated: one request (each has a text of its own) with two decisions, a decision with two outcomes, or
  two stories in what the reader tells of it, after the file was reopened and its write-ahead log replayed.
- unsound: SQLite's quick check finds a fault in the file.

Every round adds one line to the state file, and a run that was stopped goes on after the last of them. A
new log begins every 50 rounds. Exit code 1 if anything was lost, duplicated or unsound.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.outcomes import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIG = """
[policy]
kind = "random"
[signals]
enabled = false
[[candidates]]
id = "edge"
location = "edge"
script = { replies = ["An answer from nearby."] }
[[candidates]]
id = "cloud"
location = "cloud"
price = { input = 1.0, output = 2.0 }
script = { replies = ["An answer from far away."] }
"""
STATE = Path(__file__).parent / "results" / "kills.jsonl"
ROUNDS_A_LOG = 50
DONE = b"data: [DONE]\n\n"
START_S = 60.0


@dataclass
class Told:
    """What the clients of one round asked and were told."""

    asked: list[str] = field(default_factory=list[str])
    begun: list[str] = field(default_factory=list[str])
    whole: list[str] = field(default_factory=list[str])


def main() -> int:
    """Run the rounds that are left, and say what all of them found."""
    wanted = _arguments()
    wanted.state.parent.mkdir(parents=True, exist_ok=True)
    done = _done(wanted.state)
    until = time.monotonic() + wanted.minutes * 60 if wanted.minutes else float("inf")
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        home = Path(folder)
        for number in range(len(done), wanted.rounds):
            if time.monotonic() > until:
                break
            if number % ROUNDS_A_LOG == 0:
                shutil.rmtree(home)
            home.mkdir(exist_ok=True)
            done.append(_round(home, number, wanted.clients))
            with wanted.state.open("a") as state:
                state.write(json.dumps(done[-1]) + "\n")
            print(f"\r{number + 1} of {wanted.rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return _tell(done, wanted.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="kill -9 under load, many times")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so many; 0: when all is done")
    parser.add_argument("--state", type=Path, default=STATE)
    parser.add_argument("--clients", type=int, default=6)
    return parser.parse_args()


def _done(state: Path) -> list[dict[str, int]]:
    return [json.loads(line) for line in state.read_text().splitlines()] if state.exists() else []


def _tell(done: list[dict[str, int]], wanted: int) -> int:
    sums = Counter[str]()
    for one in done:
        sums.update(one)
    print(
        f"{len(done)} of {wanted} kills, {sums['asked']} requests, {sums['begun']} begun and "
        f"{sums['whole']} whole answers acknowledged: {sums['lost']} lost, {sums['duplicated']} duplicated, "
        f"{sums['unsound']} unsound files."
    )
    return 1 if sums["lost"] or sums["duplicated"] or sums["unsound"] else 0


def _round(home: Path, number: int, clients: int) -> dict[str, int]:
    told, stop = Told(), threading.Event()
    process, port = _started(home)
    try:
        names = [f"{number}.{client}" for client in range(clients)]
        threads = [
            threading.Thread(target=_load, args=(port, told, stop, f"{name}.", client % 2 == 0))
            for client, name in enumerate(names)
        ]
        for thread in threads:
            thread.start()
        time.sleep(random.Random(number).uniform(0.1, 0.9))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
    for thread in threads:
        thread.join()
    lost, duplicated, unsound = _found(home, told)
    return {
        "asked": len(told.asked),
        "begun": len(told.begun),
        "whole": len(told.whole),
        "lost": lost,
        "duplicated": duplicated,
        "unsound": unsound,
    }


def _started(home: Path) -> tuple[subprocess.Popen[bytes], int]:
    (home / "edgewise.toml").write_text(CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "edgewise.cli", "serve", "--config", str(home / "edgewise.toml")]
    said = home / "stderr"
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**os.environ, "EDGEWISE_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port):
            return process, port
        time.sleep(0.01)
    process.kill()
    raise SystemExit(f"The gateway did not start: {said.read_text()}")


def _is_ready(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _load(port: int, told: Told, stop: threading.Event, name: str, stream: bool) -> None:  # noqa: FBT001 - Thread passes it by place
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    number = 0
    while not stop.is_set():
        number += 1
        told.asked.append(f"{name}{number}")
        message = {"role": "user", "content": f"{name}{number}"}
        body = json.dumps({"model": "auto", "stream": stream, "messages": [message]})
        try:
            connection.request("POST", "/v1/chat/completions", body)
            response = connection.getresponse()
            identity = response.headers["x-request-id"] or ""
            if response.status == 200:
                told.begun.append(identity)
            whole = response.read()
            if response.status == 200 and (not stream or whole.endswith(DONE)):
                told.whole.append(identity)
        except (OSError, HTTPException):
            return


def _found(home: Path, told: Told) -> tuple[int, int, int]:
    """Lost, duplicated, unsound: what the log holds against what the clients were told."""
    path = home / "edgewise.sqlite"
    with closing(sqlite3.connect(path)) as log:  # replays what the write-ahead log holds
        sound = log.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        rows = log.execute(
            "SELECT d.id, d.prompt, o.decision_id FROM decisions AS d "
            "LEFT JOIN outcomes AS o ON o.decision_id = d.id"
        ).fetchall()
    decisions = {identity for identity, _, _ in rows}
    outcomes = Counter(ended for _, _, ended in rows if ended is not None)
    lost = sum(one not in decisions for one in told.begun) + sum(one not in outcomes for one in told.whole)
    twice = _twice(prompt for _, prompt, _ in rows) + _twice(identity for identity, _, _ in rows)
    return lost, twice + _twice(_read(path)), int(not sound)


def _read(path: Path) -> list[str]:
    """The prompts as Edgewise's own reader tells them, for whoever learns from the log."""
    with closing(LogReader(path)) as reader:
        return [story.decision.prompt or "" for story in reader.stories()]


def _twice(values: Iterable[str]) -> int:
    return sum(times - 1 for times in Counter(values).values())


if __name__ == "__main__":
    sys.exit(main())
