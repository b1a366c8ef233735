"""A simulated world: candidates whose latency and quality are drawn, and a critic who rates what they did."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from edgewise.domain.candidates import Location

if TYPE_CHECKING:
    from edgewise.learning.worlds.prompts import SimulatedPrompt

CRITIC_SD: Final = 5.0  # points of 100 by which two looks of the critic differ
FAST_S: Final = 0.1  # what the critic finds perfectly quick,
SLOW_S: Final = 1.0  # and what is of no use to somebody in a hurry
HURRY: Final = 0.8  # how much of a time-critical rating is speed


class Arm(Struct, frozen=True, kw_only=True):
    """A simulated candidate: means and standard deviations of its latency (s) and quality (0 to 1).

    `strengths` add to the quality on prompts of a topic. Nothing is ever below 0, no quality above 1.
    """

    location: Location
    latency_s: float
    latency_sd_s: float
    quality: float
    quality_sd: float = 0.1
    strengths: dict[str, float] = field(default_factory=dict[str, float])


class Measured(Struct, frozen=True):
    """What a simulated call came to: seconds, quality (0 to 1), the critic's QoS (0 to 100)."""

    candidate: str
    latency_s: float
    quality: float
    qos: float


class World(Struct, frozen=True):
    """Simulated candidates by id. The same seed, prompt and candidate always give the same measurement."""

    arms: dict[str, Arm]
    seed: int = 0

    def measure(self, prompt: SimulatedPrompt, candidate: str) -> Measured:
        """How `candidate` fares on `prompt`, and what the critic says. Raises KeyError for a stranger."""
        arm = self.arms[candidate]
        dice = Random(f"{self.seed}:{candidate}:{prompt.text}")  # noqa: S311 - a simulation, not a secret
        latency_s = max(0.0, dice.gauss(arm.latency_s, arm.latency_sd_s))
        quality = dice.gauss(arm.quality + arm.strengths.get(prompt.topic, 0.0), arm.quality_sd)
        quality = min(1.0, max(0.0, quality))
        return Measured(candidate, latency_s, quality, self._rated(prompt, latency_s, quality, dice))

    def _rated(self, prompt: SimulatedPrompt, latency_s: float, quality: float, dice: Random) -> float:
        """The critic's QoS: mostly speed where time matters, quality alone where it does not."""
        speed = min(1.0, max(0.0, (SLOW_S - latency_s) / (SLOW_S - FAST_S)))
        share = HURRY if prompt.time_critical else 0.0
        rating = 100.0 * (share * speed + (1.0 - share) * quality) + dice.gauss(0.0, CRITIC_SD)
        return min(100.0, max(0.0, rating))


# The published placement system's two arms, with its settings.
PLACEMENT: Final = World(
    {
        "edge": Arm(location="edge", latency_s=0.120, latency_sd_s=0.030, quality=0.60),
        "cloud": Arm(location="cloud", latency_s=0.650, latency_sd_s=0.120, quality=0.78),
    }
)
# Five models as a selection has them: a quick one, a thorough one, and three that are good at something.
SELECTION: Final = World(
    {
        "quick-1b": Arm(location="edge", latency_s=1.8, latency_sd_s=0.3, quality=0.55),
        "balanced-8b": Arm(location="edge", latency_s=4.0, latency_sd_s=0.8, quality=0.78),
        "maker-8b": Arm(
            location="edge", latency_s=4.2, latency_sd_s=0.8, quality=0.70, strengths={"making": 0.2}
        ),
        "scholar-8b": Arm(
            location="cloud", latency_s=5.0, latency_sd_s=1.0, quality=0.72, strengths={"ideas": 0.22}
        ),
        "thorough-thinking": Arm(location="cloud", latency_s=11.0, latency_sd_s=2.5, quality=0.88),
    }
)
