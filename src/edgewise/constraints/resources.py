"""A machine in trouble is not given more to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signal, Signals

WATCHED = (
    "memory",
    "pressure_memory",
    "gpu_memory",
    "battery",
    "temperature",
    "cpu",
    "load",
    "pressure_cpu",
    "pressure_io",
    "gpu",
)
WORDS = {
    "memory": "memory",
    "cpu": "CPU",
    "load": "load per core",
    "pressure_memory": "waiting for memory",
    "pressure_cpu": "waiting for the CPU",
    "pressure_io": "waiting for the disk",
    "gpu_memory": "GPU memory",
    "gpu": "GPU",
    "battery": "battery",
    "temperature": "temperature",
}
# A model that answers on this machine is itself what keeps these busy: no reason to refuse.
BUSY = frozenset({"cpu", "load", "pressure_cpu", "pressure_io", "gpu"})
SHARES = frozenset(WATCHED) - {"load", "temperature"}


class Resources(Struct, frozen=True):
    """No model of this machine while its memory, battery or temperature is critical.

    A constrained resource costs `constrained_penalty` of utility. A critically busy processor costs
    `critical_penalty`, enough to go elsewhere where that is possible; with `hard` False the other critical
    resources do the same. Only candidates trusted as `device` run here. A low battery does not count while
    mains power is on. `watched` are the signals that count, the gravest first.
    """

    hard: bool = True
    constrained_penalty: float = 0.2
    critical_penalty: float = 1.0
    watched: tuple[str, ...] = WATCHED

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate of this machine for its worst resource."""
        del request
        if candidate.trust != "device" or not signals:
            return None
        strained: Signal | None = None
        for name in self.watched:
            signal = signals.get(name)
            if signal is None or signal.state not in ("constrained", "critical"):
                continue
            if name == "battery" and _on_mains(signals):
                continue
            if signal.state == "critical" and self.hard and name not in BUSY:
                return Objection(candidate.id, "resources", _sentence(signal))
            if strained is None or (signal.state == "critical" and strained.state != "critical"):
                strained = signal
        if strained is None:
            return None
        critical = strained.state == "critical"
        penalty = self.critical_penalty if critical else self.constrained_penalty
        return Objection(candidate.id, "resources", _sentence(strained), penalty)


def _on_mains(signals: Signals) -> bool:
    mains = signals.get("mains")
    return mains is not None and mains.value == 1.0


def _sentence(signal: Signal) -> str:
    word = WORDS.get(signal.name, signal.name)
    if signal.value is None:
        return f"This machine's {word} is {signal.state}"
    said = f"{signal.value:.0%}" if signal.name in SHARES else f"{signal.value:.3g} {signal.unit}".strip()
    return f"This machine's {word} is {signal.state} ({said})"
