"""Verifiable graders: what is right stands in a prompt's `check`, and no model is asked.

`exact`, `numeric`, `choice`, `regex`, `json_schema` and `code`, one file each. `docs/graders.md` says how
each of them reads an answer.
"""

from edgewise.learning.graders.grades import Grade
from edgewise.learning.graders.registry import GRADERS, grade, grader_of
from edgewise.learning.graders.shipped_prompts import shipped

__all__ = ["GRADERS", "Grade", "grade", "grader_of", "shipped"]
