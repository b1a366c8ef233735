"""Whether the world is still the one that was learned from: prompts, quality, latency, and the forecasts."""

from __future__ import annotations

from edgewise.monitors.drift.calibration import Calibration, calibration_of
from edgewise.monitors.drift.report import DriftReport, Moved, Prompts, Shift
from edgewise.monitors.drift.slices import Slice
from edgewise.monitors.drift.watch import Drift, Told

__all__ = [
    "Calibration",
    "Drift",
    "DriftReport",
    "Moved",
    "Prompts",
    "Shift",
    "Slice",
    "Told",
    "calibration_of",
]
