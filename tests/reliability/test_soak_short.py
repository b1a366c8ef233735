"""What `benchmarks.reliability.soak` does for an hour, for a few seconds: nothing is left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from benchmarks.reliability.rig import POLICY, Gateway, candidates, serving
from benchmarks.reliability.soak import FAULTS, Sample, growth, mixed, unpaired
from benchmarks.reliability.upstream import Upstream

ROUND = 300
FEW = 8  # a leak would leave a descriptor or a task for each of some hundred faults and hang-ups


async def idle(gateway: Gateway) -> tuple[int, int]:
    """Descriptors and tasks, once those that were given up have been cleared away."""
    counts = (0, 0)
    for _ in range(50):
        before, counts = counts, (gateway.descriptors, await gateway.tasks())
        if before == counts:
            break
        await asyncio.sleep(0.2)
    return counts


def test_descriptors_and_tasks_stay_flat(tmp_path: Path) -> None:
    faults = {how: 4 * share for how, share in FAULTS.items()}

    async def soaked() -> tuple[list[tuple[int, int]], Counter[str]]:
        kinds: Counter[str] = Counter()
        counts = []
        async with Upstream(faults=faults, seed=1) as edge, Upstream(faults=faults, seed=2) as cloud:
            with serving(tmp_path, POLICY + candidates(edge, cloud)) as gateway:
                for seed in range(4):
                    seen = await mixed(gateway, ROUND, seed=seed)
                    kinds.update(f"{s.kind} {s.status == 200 and s.whole}" for s in seen)
                    counts.append(await idle(gateway))
        return counts, kinds

    counts, kinds = asyncio.run(soaked())
    (descriptors, tasks), *_, (descriptors_then, tasks_then) = counts
    assert kinds["plain True"] > ROUND
    assert kinds["stream True"] > ROUND / 2
    assert kinds["stream cancelled False"] > ROUND / 10
    assert descriptors_then <= descriptors + FEW, counts
    assert tasks_then <= tasks + FEW, counts
    decisions, without = unpaired(tmp_path / "edgewise.sqlite")
    assert decisions > 3 * ROUND
    assert without == 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_growth_leaves_the_warm_up_out() -> None:
    samples = [Sample(float(n), 50.0 if n < 10 else 60.0 + n / 10, 30, 5 + n // 50, n) for n in range(101)]
    memory, descriptors, tasks = growth(samples)
    assert (round(memory, 1), descriptors, tasks) == (8.0, 0, 1)
