"""Edgewise decides, prompt by prompt, whether the edge or the cloud answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgewise.constraints import check_constraint
    from edgewise.domain.candidates import Candidate, Objection
    from edgewise.domain.decisions import Decision, Odds, Outcome
    from edgewise.domain.errors import EdgewiseError
    from edgewise.domain.requests import Request, Situation
    from edgewise.domain.signals import Reading, Signal, Signals
    from edgewise.library import Reply, Router
    from edgewise.monitors import check_monitor
    from edgewise.outcomes import check_log
    from edgewise.policies import check_policy

__all__ = [
    "Candidate",
    "Decision",
    "EdgewiseError",
    "Objection",
    "Odds",
    "Outcome",
    "Reading",
    "Reply",
    "Request",
    "Router",
    "Signal",
    "Signals",
    "Situation",
    "check_constraint",
    "check_log",
    "check_monitor",
    "check_policy",
]

# Where each name lives. Nothing is imported before it is used: `import edgewise` takes a millisecond.
_HOMES = {
    "domain.candidates": ("Candidate", "Objection"),
    "domain.decisions": ("Decision", "Odds", "Outcome"),
    "domain.errors": ("EdgewiseError",),
    "domain.requests": ("Request", "Situation"),
    "domain.signals": ("Reading", "Signal", "Signals"),
    "library": ("Reply", "Router"),
    "constraints": ("check_constraint",),
    "monitors": ("check_monitor",),
    "outcomes": ("check_log",),
    "policies": ("check_policy",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"edgewise.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
