"""What the watch over drift has found, as plain records: for health, the Learning page, and programs."""

from __future__ import annotations

from msgspec import Struct

from edgewise.monitors.drift.calibration import Calibration
from edgewise.monitors.drift.slices import Slice
from edgewise.monitors.drift.stream import Against, Metric


class Moved(Struct, frozen=True):
    """One text statistic: its population stability index (0 no change, 0.25 a large one), and which way.

    `places` is by how many tenths of the reference its prompts have moved on average, up or down.
    """

    name: str
    index: float
    places: float


class Prompts(Struct, frozen=True):
    """How the prompts of the last 24 hours compare with those that were learned from.

    `against` is "the training prompts", "the days before", or empty where there is nothing to compare with:
    `why` then says so. `moved` are the statistics, the furthest first. `far_share` is the share of `judged`
    prompts that the policy took for unlike anything learned; None where no policy says.
    """

    samples: int
    against: str
    why: str
    moved: tuple[Moved, ...]
    far_share: float | None
    judged: int


class Shift(Struct, frozen=True):
    """A candidate's answers against what was expected of them.

    `amount` is quality lost (0 to 1), or latency as a multiple, over the latest answers; None with too few.
    `against` says of what: the forecast, or the candidate's own past where nothing was forecast. `strength`
    is the evidence as a power of ten; at 4 the shift begins to stand, `since` then. `slice` is the part of
    the traffic that it comes from; None where none stands out.
    """

    candidate: str
    metric: Metric
    against: Against
    samples: int
    amount: float | None
    strength: float
    since: float | None
    slice: Slice | None = None


class DriftReport(Struct, frozen=True):
    """Everything. `answers` are the rows that were read, `explored` the share of them that chance chose.

    `labels` counts feedback by candidate.
    """

    at: float
    answers: int
    explored: float | None
    labels: dict[str, int]
    prompts: Prompts
    shifts: tuple[Shift, ...]
    calibration: tuple[Calibration, ...]
