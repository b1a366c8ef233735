"""What an evaluation found, as plain records: the same for the terminal, JSON and the page.

`forecast` stands in the name of whatever was predicted; everything else was measured.
"""

from __future__ import annotations

from msgspec import Struct

from edgewise.learning.evaluate.bootstrap import Interval, Verdict


class PolicyReport(Struct, frozen=True):
    """What one policy's choices realised, a prompt on average. `apgr` is the mean over repeats.

    `edge_share` is the share of prompts answered at the edge, `regret` the utility short of the oracle's,
    `gap_closed` the share of the way from the best single candidate to the oracle. `sd` is the standard
    deviation of the utility over prompts. What was not measured is None.
    """

    name: str
    utility: Interval
    sd: float
    regret: Interval
    gap_closed: Interval
    choices: dict[str, float]
    quality: Interval | None = None
    latency_s: Interval | None = None
    latency_p95_s: float | None = None
    cost_usd: Interval | None = None
    edge_share: Interval | None = None
    apgr: float | None = None


class Comparison(Struct, frozen=True):
    """The paired difference of the learned policy's utility and another one's, and what it says."""

    policy: str
    against: str
    difference: Interval
    verdict: Verdict
    sentence: str


class DeferralReport(Struct, frozen=True):
    """Between two candidates: what is reached when a share of prompts goes to the strong one.

    `measure` is quality, or the objective's utility where no quality was measured. `cpt50` and `cpt80` are
    the shares of strong calls that recover so much of the gap. The curve has as many points as `share`;
    `cost_usd` and `latency_s` are means a prompt and count the weak call too where its answer was read.
    """

    policy: str
    weak: str
    strong: str
    measure: str
    reads_answer: bool
    apgr: Interval
    apgr_sd_over_folds: float
    cpt50: float
    cpt80: float
    share: list[float]
    reached: list[float]
    cost_usd: list[float] | None = None
    latency_s: list[float] | None = None


class FrontierReport(Struct, frozen=True):
    """Mean cost and quality at every price of quality.

    `aiq` goes up to `most_usd`, the dearest single candidate's cost; `aiq_singles` is what mixing single
    candidates at random reaches.
    """

    cost_usd: list[float]
    quality: list[float]
    most_usd: float
    aiq: float
    aiq_singles: float


class CalibrationReport(Struct, frozen=True):
    """Forecasts of quality and what was measured, in bins of equal numbers."""

    forecast_quality: list[float]
    measured_quality: list[float]
    count: list[int]
    ece: float


class Leakage(Struct, frozen=True):
    """What the prompts have in common with those that were learned from; None where it can't be told."""

    sentence: str
    prompts: int
    seen: int
    near: int | None
    counted: int


class Report(Struct, frozen=True):
    """A whole evaluation: `verdict` is one sentence, `trustworthy` false where all prompts had been seen."""

    kind: str
    table: str
    objective: str
    candidates: tuple[str, ...]
    prompts: int
    leakage: Leakage
    verdict: str
    trustworthy: bool
    seeds: dict[str, list[int]]
    notes: tuple[str, ...]
    policies: tuple[PolicyReport, ...]
    comparisons: tuple[Comparison, ...]
    utility_sd_over_repeats: float | None = None
    deferral: tuple[DeferralReport, ...] = ()
    frontier: FrontierReport | None = None
    calibration: CalibrationReport | None = None
