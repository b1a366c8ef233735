"""The outcome table: who answered what, how well, how fast and how dear. The learning side's currency."""

from edgewise.learning.tables.layout import Layout
from edgewise.learning.tables.options import added, layout_of, objective_for, utilities
from edgewise.learning.tables.read import read_table
from edgewise.learning.tables.splits import folds, leakage, near_duplicates, near_within, prompt_key
from edgewise.learning.tables.table import METRICS, OutcomeTable

__all__ = [
    "METRICS",
    "Layout",
    "OutcomeTable",
    "added",
    "folds",
    "layout_of",
    "leakage",
    "near_duplicates",
    "near_within",
    "objective_for",
    "prompt_key",
    "read_table",
    "utilities",
]
