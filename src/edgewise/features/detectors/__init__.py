"""Private things in a request: rules with check digits, further detectors, and the screen that asks them."""

from __future__ import annotations

from edgewise.features.detectors.configured import detection_for
from edgewise.features.detectors.matches import Match
from edgewise.features.detectors.screen import Detection, Detector

__all__ = ["Detection", "Detector", "Match", "detection_for"]
