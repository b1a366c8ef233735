"""How good answers are: verifiable graders, people, and language models as judges, in this order of trust.

A judge's agreement with graders and people is measured, never assumed; what nobody could judge has no
quality. What this package exports needs no numpy: the gateway, too, judges a share of its traffic with it.
"""

from edgewise.learning.judge.asking import Judge, Unjudged
from edgewise.learning.judge.kept import Kept
from edgewise.learning.judge.panel import Ballot, Judgement, Panel
from edgewise.learning.judge.purse import BudgetSpent, Purse
from edgewise.learning.judge.rubrics import CRITIC, CRITICALITY, PAIR, QUALITY, Rubric
from edgewise.learning.judge.verdicts import Unreadable, Verdict, read_verdict

__all__ = [
    "CRITIC",
    "CRITICALITY",
    "PAIR",
    "QUALITY",
    "Ballot",
    "BudgetSpent",
    "Judge",
    "Judgement",
    "Kept",
    "Panel",
    "Purse",
    "Rubric",
    "Unjudged",
    "Unreadable",
    "Verdict",
    "read_verdict",
]
