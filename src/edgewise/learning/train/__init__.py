"""From an outcome table to a bundle."""

from __future__ import annotations

from edgewise.learning.train.extending import add_candidates
from edgewise.learning.train.learn import Trained, TrainOptions, learn
from edgewise.learning.train.share import Target

__all__ = ["Target", "TrainOptions", "Trained", "add_candidates", "learn"]
