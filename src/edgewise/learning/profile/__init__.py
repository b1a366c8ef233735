"""Profile: the same prompts through every candidate, each call once, measured and kept."""

from __future__ import annotations

from edgewise.learning.profile.estimate import Estimate, estimate, takes_s
from edgewise.learning.profile.journal import OUTCOMES
from edgewise.learning.profile.profile import Plan, profiler
from edgewise.learning.profile.run import Profiler
from edgewise.learning.profile.summary import Summary, rows_in, summary, summed

__all__ = [
    "OUTCOMES",
    "Estimate",
    "Plan",
    "Profiler",
    "Summary",
    "estimate",
    "profiler",
    "rows_in",
    "summary",
    "summed",
    "takes_s",
]
