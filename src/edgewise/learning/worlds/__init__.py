"""Labelled fakes: simulated candidates, prompts and a critic, to walk the whole way without a key."""

from __future__ import annotations

from edgewise.learning.worlds.figure import draw
from edgewise.learning.worlds.prompts import SimulatedPrompt, make_prompts
from edgewise.learning.worlds.support import Conversation, make_conversations
from edgewise.learning.worlds.world import PLACEMENT, SELECTION, Arm, Measured, World
from edgewise.learning.worlds.write import COLUMNS, outcome_rows, write_csv

__all__ = [
    "COLUMNS",
    "PLACEMENT",
    "SELECTION",
    "Arm",
    "Conversation",
    "Measured",
    "SimulatedPrompt",
    "World",
    "draw",
    "make_conversations",
    "make_prompts",
    "outcome_rows",
    "write_csv",
]
