"""A share or a budget, kept while the stream drifts: what was logged moves the threshold of what decides."""

from __future__ import annotations

from edgewise.learning.steer.configured import as_configured
from edgewise.learning.steer.steering import RECALLED, Steering
from edgewise.learning.steer.tracker import Tracker

__all__ = ["RECALLED", "Steering", "Tracker", "as_configured"]
