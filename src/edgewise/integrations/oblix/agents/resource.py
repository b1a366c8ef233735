"""Whether this machine has room for a model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from edgewise.domain.errors import SettingsError
from edgewise.integrations.oblix.agents.base import BaseAgent
from edgewise.integrations.oblix.agents.threshold import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.signals import Signals

    ResourceState = Literal["available", "constrained", "critical"]

# The published defaults; the others are off unless they are given. A busy CPU alone is never critical: the
# model that answers on it is what keeps it busy.
DEFAULTS = {"cpu_threshold": 80.0, "memory_threshold": 85.0, "gpu_threshold": 85.0, "critical_gpu": 95.0}
OTHERS = ("critical_cpu", "critical_memory", "load_threshold")
MEASURES = ("cpu", "memory", "gpu", "load")


class ResourceMonitor(BaseAgent):
    """`available`, `constrained` or `critical`, by per cent of CPU, memory and GPU in use.

    An available machine has nothing against anybody (`hybrid`), one in trouble wants its work done in the
    cloud. What cannot be read is None and speaks for nothing. `load_threshold` is the load average of the
    whole machine. Raises SettingsError for a threshold that there is not, or that is no number.
    """

    def __init__(
        self, name: str = "resource_monitor", custom_thresholds: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(name)
        given = dict(custom_thresholds or {})
        for threshold, level in given.items():
            if threshold not in DEFAULTS and threshold not in OTHERS:
                known = ", ".join((*DEFAULTS, *OTHERS))
                raise SettingsError(
                    f"ResourceMonitor: custom_thresholds has {threshold!r}; expected some of {known}."
                )
            if not _is_number(level):
                raise SettingsError(f"ResourceMonitor: {threshold} is {level!r}; expected a number.")
        self.thresholds: dict[str, float] = {**DEFAULTS, **given}
        self._thresholds = {key: Threshold(level) for key, level in self.thresholds.items()}

    async def check(self, **kwargs: Any) -> dict[str, Any]:
        """What the machine's state is now."""
        used = _used(kwargs.get("signals") or {})
        strained = [name for name in MEASURES if self._passed(f"{name}_threshold", used[name])]
        critical = [name for name in MEASURES if self._passed(f"critical_{name}", used[name])]
        state: ResourceState = "critical" if critical else "constrained" if strained else "available"
        return {
            "proceed": True,
            "state": state,
            "target": "hybrid" if state == "available" else "cloud",
            "reason": f"Resources are {state} ({_told(used)})",
            "metrics": {
                "cpu_percent": used["cpu"],
                "memory_percent": used["memory"],
                "gpu_percent": used["gpu"],
                "load_average": used["load"],
            },
        }

    def _passed(self, key: str, value: float | None) -> bool:
        threshold = self._thresholds.get(key)
        return threshold is not None and threshold.observe(value)


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _used(signals: Signals) -> dict[str, float | None]:
    """Per cent of each resource in use, and the load average."""
    scales = {"cpu": 100.0, "memory": 100.0, "gpu": 100.0, "load": float(os.cpu_count() or 1)}
    found: dict[str, float | None] = {}
    for name, scale in scales.items():
        signal = signals.get(name)
        found[name] = None if signal is None or signal.value is None else scale * signal.value
    return found


def _told(used: Mapping[str, float | None]) -> str:
    words = {"cpu": "CPU {:.0f}%", "memory": "memory {:.0f}%", "gpu": "GPU {:.0f}%", "load": "load {:.1f}"}
    told = [words[name].format(value) for name, value in used.items() if value is not None]
    return ", ".join(told) or "nothing could be read"
