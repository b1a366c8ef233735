"""Who answers, in every combination of edge, link, privacy and budget: docs/truth-table.md.

    python scripts/truth_table.py

Made by the rules that serve, under their defaults. A test holds the page to it.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Literal

from edgewise.constraints import Budget, Capability, Connectivity, Pin, Privacy, Resources, shortlist
from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.errors import NoEligibleCandidate
from edgewise.domain.requests import Features, Needs, Request, Situation, Wishes
from edgewise.domain.signals import Signal, State
from edgewise.policies import Complexity

PAGE = Path(__file__).parents[1] / "docs" / "truth-table.md"
EDGE = Candidate("edge", "edge", "device", price=Price(0.0, 0.0))
CLOUD = Candidate("cloud", "cloud", "cloud", endpoint="https://api.example.com/v1", price=Price(1.0, 2.0))
DAILY_USD = 1.0
RULES = (Privacy(), Pin(), Capability(), Connectivity(), Resources(), Budget(usd_per_day=DAILY_USD))
EDGES: dict[str, tuple[str, State]] = {
    "available": ("memory", "normal"),
    "constrained": ("memory", "constrained"),
    "busy": ("cpu", "critical"),
    "critical": ("memory", "critical"),
}
LINKS: dict[str, State] = {"optimal": "normal", "degraded": "constrained", "disconnected": "critical"}
BUDGETS: dict[str, tuple[float, State]] = {
    "available": (0.1, "normal"),
    "constrained": (0.75, "constrained"),
    "critical": (0.95, "critical"),
    "spent": (1.0, "critical"),
}
EASY = Features(
    {"characters": 20.0, "words_per_sentence": 4.0, "emotion_words": 0.0, "escalation_words": 0.0}
)
HARD = Features(
    {"characters": 900.0, "words_per_sentence": 30.0, "emotion_words": 3.0, "escalation_words": 3.0}
)
# ruff: noqa: E501 - the page is as wide as the other pages
HEAD = """# Who answers

Every combination of the edge's state, the link's, what the caller declared and what is left of the day's budget, with one
candidate on this machine and one in the cloud, the default rules and the rule of thumb (`complexity`) as policy. Made by
`python scripts/truth_table.py` from the rules that serve; a test holds this page to them.

The edge is *constrained* or *critical* by its memory, *busy* by its processor. An easy prompt is one that the rule of thumb
would keep at the edge, a hard one it would send to the cloud. "nobody" is a refusal that lists every objection. With
`degrade = "best-effort"` a critical edge answers where the table says "nobody", since only its resources stand against it.

| edge | link | privacy | budget | easy prompt | hard prompt |
|---|---|---|---|---|---|
"""


def world(edge: str, link: str, budget: str) -> dict[str, Signal]:
    """Signals of a machine in that state."""
    spent, state = BUDGETS[budget]
    resource, strain = EDGES[edge]
    found = (
        Signal(resource, 0.5, "share", 0.0, "table", strain),
        Signal("online:cloud", 1.0, "", 0.0, "table", LINKS[link]),
        Signal("spent_usd", spent, "USD", 0.0, "table", state),
    )
    return {signal.name: signal for signal in found}


def answers(signals: dict[str, Signal], privacy: Literal["local"] | None, features: Features) -> str:
    """The id of who answers, or "nobody"."""
    needs = Needs(input_tokens=50, output_tokens=200)
    request = Request("req", "…", "…", b"{}", wishes=Wishes(privacy=privacy), needs=needs)
    try:
        kept, _ = shortlist(request, (EDGE, CLOUD), RULES, signals)
    except NoEligibleCandidate:
        return "nobody"
    return Complexity().odds(Situation(features, kept, signals)).favourite


def page() -> str:
    """The whole page."""
    rows: list[str] = []
    wishes: tuple[Literal["local"] | None, ...] = (None, "local")
    for edge, link, privacy, budget in product(EDGES, LINKS, wishes, BUDGETS):
        signals = world(edge, link, budget)
        easy, hard = (answers(signals, privacy, features) for features in (EASY, HARD))
        rows.append(f"| {edge} | {link} | {privacy or 'any'} | {budget} | {easy} | {hard} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
