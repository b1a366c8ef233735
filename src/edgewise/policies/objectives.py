"""Objectives, where policies and what trains them look for them; they are words of the domain."""

from __future__ import annotations

from edgewise.domain.objectives import NEEDS, OBJECTIVES, Measured, Objective, objective_of, spelled

__all__ = ["NEEDS", "OBJECTIVES", "Measured", "Objective", "objective_of", "spelled"]
