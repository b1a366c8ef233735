"""A bundle in a process of its own: how long it takes, and how much memory; nothing else is loaded there.

`python -m edgewise.learning.distill.alone FOLDER` reads texts as a JSON array and writes an `Alone` as JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import psutil
from msgspec import Struct

from edgewise.domain.errors import BundleError
from edgewise.upstreams.classifier import ClassifierBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Tokens = list[list[int]]

ONE_BY_ONE = 100  # texts
PADDED = 30  # texts: each costs as much as the longest one would
TOGETHER = 512  # texts
FIRST = 3  # the first calls allocate
LONGEST_S = 1800.0
MB = 1e6


class Spread(Struct, frozen=True):
    """Of a number of times."""

    mean: float
    p50: float
    p95: float


class Pace(Struct, frozen=True):
    """Milliseconds a text, one at a time, tokenising included; `tokens` a text on average, padding too.

    CPU time says what a text costs; `wall_ms` is what passed meanwhile, and depends on what else was running.
    """

    texts: int
    tokens: float
    cpu_ms: Spread
    wall_ms: Spread


class Alone(Struct, frozen=True):
    """What one process says of itself.

    `load_ms` is from disk to ready. `rss_mb` is the process in memory after all work, `rss_model_mb` what
    of it came with the bundle. `texts_per_cpu_s` is the throughput of one thread, texts together in batches
    of like length; `texts_per_s` the same by the clock.
    """

    load_ms: float
    rss_mb: float
    rss_model_mb: float
    true_length: Pace
    padded: Pace
    texts_per_cpu_s: float
    texts_per_s: float


def alone(folder: Path, texts: Sequence[str]) -> Alone:
    """Measure a bundle in a process of its own. Raises `BundleError` where that process fails."""
    given = msgspec.json.encode([text.encode("utf-8", "replace").decode() for text in texts])
    ran = subprocess.run(  # noqa: S603 - our own interpreter with fixed arguments
        [sys.executable, "-P", "-m", "edgewise.learning.distill.alone", str(folder)],
        input=given,
        capture_output=True,
        timeout=LONGEST_S,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if ran.returncode != 0:
        last = (ran.stderr.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
        raise BundleError(f"{folder} could not be measured; its process ended with: {last[:300]}")
    return msgspec.json.decode(ran.stdout, type=Alone)


def measure(folder: Path, texts: Sequence[str]) -> Alone:
    """Measure a bundle in this process."""
    for library in ("onnxruntime", "tokenizers"):
        import_module(library)  # before memory is looked at: they come with every bundle
    memory: Callable[[], int] = lambda: psutil.Process().memory_info().rss  # noqa: E731 - said twice
    before, began = memory(), perf_counter()
    bundle = ClassifierBundle.load(folder)
    load_ms = (perf_counter() - began) * 1e3
    runtime, longest = bundle.runtime, bundle.manifest.most_tokens
    many = list(islice(cycle(texts), max(TOGETHER, ONE_BY_ONE)))
    true_length = _pace(many[:ONE_BY_ONE], runtime.tokens, runtime.logits)
    padded = _pace(
        many[:PADDED], runtime.tokens, lambda tokens: runtime.logits(tokens, padded_to=longest), longest
    )
    cpu, clock = process_time(), perf_counter()
    runtime.logits(runtime.tokens(many))
    cpu, clock = process_time() - cpu, perf_counter() - clock
    held = memory()
    return Alone(
        load_ms=round(load_ms, 1),
        rss_mb=round(held / MB, 1),
        rss_model_mb=round((held - before) / MB, 1),
        true_length=true_length,
        padded=padded,
        texts_per_cpu_s=round(len(many) / max(cpu, 1e-9), 1),
        texts_per_s=round(len(many) / max(clock, 1e-9), 1),
    )


def _pace(
    texts: Sequence[str],
    tokens: Callable[[Sequence[str]], Tokens],
    run: Callable[[Tokens], Any],
    longest: int = 0,
) -> Pace:
    for text in texts[:FIRST]:
        run(tokens([text]))
    cpu_ms: list[float] = []
    wall_ms: list[float] = []
    lengths: list[int] = []
    for text in texts:
        cpu, clock = process_time(), perf_counter()
        ids = tokens([text])
        run(ids)
        cpu_ms.append((process_time() - cpu) * 1e3)
        wall_ms.append((perf_counter() - clock) * 1e3)
        lengths.append(max(longest, len(ids[0])))
    return Pace(len(texts), round(float(np.mean(lengths)), 2), spread(cpu_ms), spread(wall_ms))


def spread(values: Sequence[float]) -> Spread:
    """Mean, median and 95th percentile."""
    p50, p95 = np.percentile(values, [50, 95])
    return Spread(round(float(np.mean(values)), 3), round(float(p50), 3), round(float(p95), 3))


if __name__ == "__main__":
    found = measure(Path(sys.argv[1]), msgspec.json.decode(sys.stdin.buffer.read(), type=list[str]))
    sys.stdout.buffer.write(msgspec.json.encode(found))
