"""The threshold between edge and cloud of one stream, found anew as the stream goes on.

The threshold is a quantile of the last gains (what the best cloud promised over the best edge), so it moves
with the prompts. Which quantile is corrected after every request by how far off target it was: adaptive
conformal inference (Gibbs and Candès 2021, "Adaptive conformal inference under distribution shift"). However
the stream drifts, the mean over T requests then misses the target by at most about 1 / (rate · T).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import TYPE_CHECKING, Final

from edgewise.policies.steering import Steer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.policies.steering import Steerable, Target

WINDOW: Final = 256  # requests whose gains are remembered
RATE: Final = 0.01  # how much of a miss moves the level
FEWEST: Final = 20  # gains before a quantile of them is worth its name
LOWEST, HIGHEST = -1.0, 2.0  # the level goes on beyond 0 and 1 for a while, so that misses are paid back
UNKNOWN_LEVEL: Final = 0.5  # of a budget, while nobody knows what the cloud costs


class Tracker:
    """Keeps a share or a budget. `note` each request that had the choice; `steer` is the threshold by now.

    `gains` are those to begin with (a bundle's, of its training prompts), `usd` what an answer of the cloud
    costs, as far as known, and `bonus` the threshold while there are too few gains. Not for several threads.
    """

    def __init__(
        self, target: Target, *, gains: Iterable[float] = (), usd: float | None = None, bonus: float = 0.0
    ) -> None:
        self.target, self._bonus, self._first_usd = target, bonus, usd
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._costs: deque[float] = deque(maxlen=WINDOW)
        for gain in gains:
            self._remember(gain)
        self._owed = 0.0  # misses so far, as a part of the level

    def note(self, gain: float, *, cloud: bool, usd: float | None) -> None:
        """One more request: what the cloud promised more, whether it was asked, and what that cost in USD.

        `usd` is None where nobody knows; a budget then learns nothing from it.
        """
        self._remember(gain)
        if cloud and usd is not None and usd > 0.0:
            self._costs.append(usd)
        self.resume(self.level + RATE * self._miss(cloud=cloud, usd=usd))

    def resume(self, level: float) -> None:
        """Go on from a level that a record of this stream holds."""
        self._owed = min(max(level, LOWEST), HIGHEST) - self._fair()

    @property
    def level(self) -> float:
        """The share of the remembered gains that is to go to the cloud; what is owed may push it past 1."""
        return self._fair() + self._owed

    @property
    def steer(self) -> Steer:
        """The threshold by now."""
        return Steer(-self._threshold(), self.level, self.target.goal or 0.0)

    def _fair(self) -> float:
        """The level that meets the target, if gains and costs stay as they were lately."""
        share, budget = self.target.cloud_share, self.target.usd_per_1k
        if share is not None:
            return share
        usd = self._usd()
        return UNKNOWN_LEVEL if usd is None or budget is None else min(1.0, budget / 1000.0 / usd)

    def _usd(self) -> float | None:
        """What an answer of the cloud costs, by the latest ones."""
        return sum(self._costs) / len(self._costs) if self._costs else self._first_usd or None

    def _miss(self, *, cloud: bool, usd: float | None) -> float:
        """How far this request was below the target, in answers of the cloud."""
        share, budget = self.target.cloud_share, self.target.usd_per_1k
        if share is not None:
            return share - float(cloud)
        unit = self._usd()
        return 0.0 if usd is None or unit is None or budget is None else (budget / 1000.0 - usd) / unit

    def _remember(self, gain: float) -> None:
        self._recent.append(gain)
        insort(self._sorted, gain)
        if len(self._recent) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]

    def _threshold(self) -> float:
        """The gain that a `level` of the remembered ones exceeds; beyond all of them outside 0 to 1."""
        known = self._sorted
        if len(known) < FEWEST:
            return -self._bonus
        reach = known[-1] - known[0] + 1.0
        if self.level <= 0.0:
            return known[-1] + reach
        if self.level >= 1.0:
            return known[0] - reach
        place = min(max((1.0 - self.level) * len(known) - 0.5, 0.0), len(known) - 1.0)
        below = int(place)
        above = min(below + 1, len(known) - 1)
        return known[below] + (place - below) * (known[above] - known[below])


def tracker_for(policy: Steerable) -> Tracker | None:
    """A tracker that knows what the policy knows of its target; None where it has none."""
    start = policy.start
    if start is None:
        return None
    return Tracker(start.target, gains=start.gains, usd=start.usd, bonus=start.bonus)
