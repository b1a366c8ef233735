"""What is a policy worth on prompts that it has not seen, against what costs nothing to build?"""

from __future__ import annotations

from edgewise.learning.evaluate.held_out import Plan
from edgewise.learning.evaluate.report import Report
from edgewise.learning.evaluate.run import cross_validate, evaluate

__all__ = ["Plan", "Report", "cross_validate", "evaluate"]
