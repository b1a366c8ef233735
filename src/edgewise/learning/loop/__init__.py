"""The whole loop: prompts → profile → judge → train → evaluate, and whether it was worth it."""

from __future__ import annotations

from edgewise.learning.loop.choosing import chosen, shipped_prompts
from edgewise.learning.loop.selecting import selected
from edgewise.learning.loop.stages import STATE, Stages, digest_of
from edgewise.learning.loop.training import Training, evaluated, trained
from edgewise.learning.loop.verdict import Verdict, verdict_of

__all__ = [
    "STATE",
    "Stages",
    "Training",
    "Verdict",
    "chosen",
    "digest_of",
    "evaluated",
    "selected",
    "shipped_prompts",
    "trained",
    "verdict_of",
]
