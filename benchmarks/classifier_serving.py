"""The gateway with a small classifier at the edge and the full one as its cloud: what it costs, how fast."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from edgewise.learning.cascade.fitting import Guard
from edgewise.learning.distill.guarding import Guarding
from edgewise.learning.distill.labelled import read_held_out, read_labelled
from edgewise.learning.distill.parts import parted
from edgewise.outcomes import LogReader
from edgewise.outcomes.statistics import statistics

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

EDGE_USD, CLOUD_USD = 0.001, 0.0136
BATCH = 1_000
ROUNDS = 5
CONFIG = """
[policy]
kind = "cascade"
[store]
prompts = "hash"
[[candidates]]
id = "edge"
location = "edge"
kind = "classifier"
bundle = "{edge}"
price = {{ input = 0.0, output = 0.0, per_query = 0.001 }}
"""
CLOUD = """
[[candidates]]
id = "cloud"
location = "cloud"
kind = "classifier"
bundle = "{cloud}"
price = {{ input = 0.0, output = 0.0, per_query = 0.0136 }}
"""
PATIENCE_S = 120.0


def served(data: Path, folder: Path, chosen: str) -> dict[str, Any]:
    """Costs from the log of the whole test part, and the speed of a batch on one core."""
    train = read_labelled(data / "banking77/train.csv", "text", "category")
    held_out = read_held_out(data / "banking77/test.csv", train, "text", "category")
    parts = parted(train, held_out)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        edge, full = home / "edge", folder / "stages/fp32"
        shutil.copytree(folder / "stages" / chosen, edge)
        guard = Guard(max_loss=0.009, in_scope=1.0)
        placing = Guarding(guard).guarded(edge, home / "stages", full, parts.validation, _quiet)
        with _gateway(home, CONFIG.format(edge=edge) + CLOUD.format(cloud=full)) as (url, _):
            said = [label for batch in _batches(held_out.texts) for label in _labels(url, batch)]
        right = sum(a == b for a, b in zip(said, held_out.labels, strict=True))
        told = statistics(LogReader(home / "edgewise.sqlite").stories(), {"edge": "edge", "cloud": "cloud"})
        with _gateway(home, CONFIG.format(edge=edge)) as (url, server):
            rates = [_rate(url, server, held_out.texts[:BATCH]) for _ in range(ROUNDS)]
    return {
        "chosen": chosen,
        "threshold": placing.threshold,
        "texts": told.answered,
        "kept": told.edge_share,
        "accuracy": right / len(said),
        "reasons": told.reasons,
        "usd_per_query": told.usd_per_query,
        "cloud_usd": told.cloud_call_usd,
        "saved": told.saved_share,
        "most_saved": 1.0 - EDGE_USD / CLOUD_USD,
        "most_saved_at_this_share": 1.0 - EDGE_USD / CLOUD_USD - (1.0 - (told.edge_share or 0.0)),
        "texts_per_cpu_second": sorted(rate[0] for rate in rates)[ROUNDS // 2],
        "texts_per_second": sorted(rate[1] for rate in rates)[ROUNDS // 2],
    }


def _quiet(_: str) -> None:
    """Nothing to say."""


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BATCH):
        yield texts[start : start + BATCH]


def _labels(url: str, texts: Sequence[str]) -> list[str]:
    body = json.dumps({"input": list(texts), "top_k": 1}).encode()
    status, answer = _asked(url, "POST", "/v1/classify", body)
    assert status == 200, answer
    return [item["label"] for item in json.loads(answer)["data"]]


def _asked(url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = HTTPConnection(url, timeout=600)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _rate(url: str, server: psutil.Process, texts: Sequence[str]) -> tuple[float, float]:
    """Texts a CPU second of the server, and texts a second of the clock."""
    before, began = sum(server.cpu_times()[:2]), time.perf_counter()
    _labels(url, texts)
    passed = time.perf_counter() - began
    return len(texts) / (sum(server.cpu_times()[:2]) - before), len(texts) / passed


@contextmanager
def _gateway(home: Path, config: str) -> Generator[tuple[str, psutil.Process]]:
    """A server on one core."""
    (home / "edgewise.toml").write_text(config)
    (home / "edgewise.sqlite").unlink(missing_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "edgewise.cli", "serve", "--config", "edgewise.toml", "--port", str(port)]
    environment = {**os.environ, "EDGEWISE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        words, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        known = psutil.Process(server.pid)
        known.cpu_affinity([known.cpu_affinity()[-1]])
        _ready(f"127.0.0.1:{port}", server)
        yield f"127.0.0.1:{port}", known
    finally:
        server.terminate()
        server.wait()


def _ready(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            if _asked(url, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            pass
        assert server.poll() is None, "the gateway ended"
        assert time.monotonic() < ends, "the gateway did not begin"
        time.sleep(0.1)
