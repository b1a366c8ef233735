"""Who can be measured in joules, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.execution.energy import Share
from edgewise.monitors.joules import CpuJoules, GpuJoules
from edgewise.settings.urls import stays_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.settings import Settings
    from edgewise.upstreams.embedded import EmbeddedRuntime


def shares_for(settings: Settings, runtimes: Mapping[str, EmbeddedRuntime]) -> dict[str, Share]:
    """A share of a counter for each candidate that has one, by its id.

    An embedded model has the CPU time of its process; any other on this device that has neither
    `power_watts` nor `joules_per_token` has the graphics processors. Candidates on one counter share it.
    """
    cpus: dict[str, Share] = {}
    gpu: Share | None = None
    found: dict[str, Share] = {}
    for candidate in settings.candidates:
        if candidate.power_watts is not None or candidate.joules_per_token is not None:
            continue
        if candidate.embedded is not None:
            model = candidate.embedded
            if model not in cpus:
                cpus[model] = Share(_cpu(runtimes[model], settings.energy.watts_per_core), "cpu")
            found[candidate.id] = cpus[model]
        elif candidate.location == "edge" and candidate.url is not None and stays_here(candidate.url):
            if gpu is None:
                counter = GpuJoules()
                if counter() is None:
                    continue
                gpu = Share(counter, "gpu")
            found[candidate.id] = gpu
    return found


def _cpu(runtime: EmbeddedRuntime, watts: float) -> CpuJoules:
    return CpuJoules(lambda: runtime.pid, watts)
