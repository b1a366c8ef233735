"""`[privacy]` → the screen that it means."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edgewise.features.detectors.screen import Detection

if TYPE_CHECKING:
    from edgewise.features.detectors.screen import Detector
    from edgewise.settings import PrivacySettings


def detection_for(settings: PrivacySettings) -> Detection:
    """The screen with its actions, and Presidio where it is asked for.

    Raises `MissingExtra` and `AssetError` where Presidio or its language model is not installed.
    """
    detectors: list[Detector] = []
    if settings.presidio is not None:
        from edgewise.features.detectors.presidio import Presidio  # noqa: PLC0415 - it takes seconds to load

        detectors.append(Presidio(settings.presidio))
    detection = Detection(settings.action, settings.rules, detectors, settings.timeout_s)
    if detection.is_on:
        import_module("edgewise.features.detectors.rules")  # so that the first request need not wait for it
    return detection
