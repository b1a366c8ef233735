"""English words that point to a person in distress, or to one who asks for somebody higher up.

They start from the ten words of the published rule (`docs/policies.md`) and add their plain relatives. A
word counts only as a whole, so each form that shall count stands here by itself. Other languages need
lists of their own: hand them to `TextFeatures`.
"""

from __future__ import annotations

EMOTION = frozenset(
    {
        "angry",
        "annoyed",
        "annoying",
        "appalled",
        "appalling",
        "awful",
        "desperate",
        "devastated",
        "disappointed",
        "disappointing",
        "disgraceful",
        "disgusted",
        "disgusting",
        "dreadful",
        "enraged",
        "frustrated",
        "frustrating",
        "frustration",
        "furious",
        "horrible",
        "horrified",
        "infuriated",
        "infuriating",
        "irritated",
        "livid",
        "miserable",
        "outraged",
        "outrageous",
        "pathetic",
        "ridiculous",
        "terrible",
        "terribly",
        "terrified",
        "unacceptable",
        "upset",
        "upsetting",
        "worst",
    }
)
"""Words of anger, fear and disappointment."""

ESCALATION = frozenset(
    {
        "attorney",
        "complain",
        "complained",
        "complaint",
        "complaints",
        "escalate",
        "escalated",
        "escalating",
        "escalation",
        "lawsuit",
        "lawyer",
        "lawyers",
        "manager",
        "managers",
        "ombudsman",
        "regulator",
        "sue",
        "suing",
        "supervisor",
        "supervisors",
    }
)
"""Words that ask for somebody higher up, or threaten to."""
