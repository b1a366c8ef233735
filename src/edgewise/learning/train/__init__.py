"""From an outcome table to a bundle."""

from __future__ import annotations

from edgewise.learning.train.learn import Trained, TrainOptions, learn
from edgewise.learning.train.share import Target

__all__ = ["Target", "TrainOptions", "Trained", "learn"]
