"""Whether the clouds can be reached, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from edgewise.constraints.connectivity import needs_link
from edgewise.integrations.oblix.agents.base import BaseAgent
from edgewise.integrations.oblix.agents.threshold import Threshold

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.signals import Signals

    LinkState = Literal["optimal", "degraded", "disconnected"]

TARGET = {"optimal": "cloud", "degraded": "hybrid", "disconnected": "local"}


class ConnectivityAgent(BaseAgent):
    """`optimal`, `degraded` or `disconnected`, by what our own calls and handshakes measured.

    `latency_threshold` is in milliseconds of a round trip to the nearest cloud that is hooked,
    `packet_loss_threshold` in per cent of lately failed calls, `bandwidth_threshold` in Mbit/s (it counts
    where a monitor measures `bandwidth_mbps`), `check_interval` in seconds without a call after which an
    endpoint is looked at on purpose. No request waits for a measurement.
    """

    def __init__(
        self,
        name: str = "connectivity_monitor",
        latency_threshold: float = 200.0,
        packet_loss_threshold: float = 10.0,
        bandwidth_threshold: float = 5.0,
        check_interval: float = 30,
    ) -> None:
        super().__init__(name)
        self.latency_threshold = latency_threshold
        self.packet_loss_threshold = packet_loss_threshold
        self.bandwidth_threshold = bandwidth_threshold
        self.check_interval = check_interval
        self._slow = Threshold(latency_threshold, leave=0.75)
        self._lossy = Threshold(packet_loss_threshold, leave=0.5)
        self._narrow = Threshold(bandwidth_threshold, low_is_bad=True)

    async def check(self, **kwargs: Any) -> dict[str, Any]:
        """What the way to the clouds is like now.

        `unreachable` names who just did not answer this very request.
        """
        signals: Signals = kwargs.get("signals") or {}
        clouds = [one for one in kwargs.get("candidates") or () if one.location == "cloud"]
        latency = _best(signals, [f"rtt_s:{cloud.id}" for cloud in clouds], 1000.0)
        loss = _best(signals, [f"failures:{cloud.id}" for cloud in clouds], 100.0)
        bandwidth = _best(signals, ["bandwidth_mbps"], 1.0)
        passed = (self._slow.observe(latency), self._lossy.observe(loss), self._narrow.observe(bandwidth))
        state: LinkState = "degraded" if any(passed) else "optimal"
        if _disconnected(signals, clouds, kwargs.get("unreachable") or ()):
            state = "disconnected"
        told = [f"{latency:.1f} ms"] if latency is not None else []
        told += [f"{loss:.0f}% lost"] if loss is not None else []
        return {
            "proceed": True,
            "state": state,
            "target": TARGET[state],
            "reason": f"The connection is {state} ({', '.join(told) or 'nothing was measured yet'})",
            "metrics": {"latency": latency, "packet_loss": loss, "bandwidth": bandwidth},
        }


def _disconnected(signals: Signals, clouds: Sequence[Candidate], unreachable: Collection[str]) -> bool:
    """Whether no cloud can be reached; where none is hooked, whether this machine has no network."""
    link = signals.get("link")
    unlinked = link is not None and link.state == "critical"
    if not clouds:
        return unlinked
    for cloud in clouds:
        way = signals.get(f"online:{cloud.id}")
        gone = way is not None and way.state == "critical"
        if not (gone or cloud.id in unreachable or (unlinked and needs_link(cloud.endpoint))):
            return False
    return True


def _best(signals: Signals, names: Sequence[str], scale: float) -> float | None:
    """The smallest of these signals, in the thresholds' unit; None where nobody knows."""
    known = [
        signal.value
        for name in names
        if (signal := signals.get(name)) is not None and signal.value is not None
    ]
    return min(known) * scale if known else None
