"""What a distillation made, for people and programs: one page, pictures, JSON."""

from edgewise.learning.distill.report.page import write
from edgewise.learning.distill.report.records import DistillReport, Recipe, report_on

__all__ = ["DistillReport", "Recipe", "report_on", "write"]
