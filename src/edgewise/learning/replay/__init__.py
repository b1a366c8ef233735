"""What would another policy have earned on the log? Off-policy estimates, or a refusal with its reason."""

from __future__ import annotations

from edgewise.learning.replay.estimators import Estimates, Logged, estimate
from edgewise.learning.replay.report import Replayed, Wishes, Wishing, replay
from edgewise.learning.replay.rows import Asked, quality_of

__all__ = [
    "Asked",
    "Estimates",
    "Logged",
    "Replayed",
    "Wishes",
    "Wishing",
    "estimate",
    "quality_of",
    "replay",
]
