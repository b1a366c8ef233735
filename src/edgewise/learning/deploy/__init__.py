"""Promote a bundle, try it first, undo it: a store of versions, and a watcher that serving follows it by."""

from __future__ import annotations

from edgewise.learning.deploy.serving import FOLDER, learned
from edgewise.learning.deploy.state import Entry, Mode, State, Trial
from edgewise.learning.deploy.store import Store
from edgewise.learning.deploy.watch import Deployed, following, problem_of

__all__ = [
    "FOLDER",
    "Deployed",
    "Entry",
    "Mode",
    "State",
    "Store",
    "Trial",
    "following",
    "learned",
    "problem_of",
]
