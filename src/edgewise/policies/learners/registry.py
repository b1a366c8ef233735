"""Learners by the name that commands and bundles use."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import BundleError, SettingsError
from edgewise.policies.learners.auto import Auto, AutoLearner
from edgewise.policies.learners.extend import ADDED, with_added
from edgewise.policies.learners.mlp import Network, NetworkLearner
from edgewise.policies.learners.neighbours import NeighbourLearner, Neighbours
from edgewise.policies.learners.recipes import PairTrees, PlacementRecipe, SelectionRecipe, VectorTrees
from edgewise.policies.learners.ridge import RidgeLearner, RidgeRule
from edgewise.policies.learners.trees import TreeLearner, TreeRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.policies.learners.protocol import Fitted, Learner

LEARNERS: dict[str, tuple[Any, Any]] = {
    "auto": (AutoLearner, Auto),
    "knn": (NeighbourLearner, Neighbours),
    "ridge": (RidgeLearner, RidgeRule),
    "trees": (TreeLearner, TreeRule),
    "mlp": (NetworkLearner, Network),
    "placement-recipe": (PlacementRecipe, VectorTrees),
    "selection-recipe": (SelectionRecipe, PairTrees),
}


def learner_called(name: str) -> Learner:
    """A learner by name; raises `SettingsError` for one that does not exist."""
    if name not in LEARNERS:
        near = get_close_matches(name, LEARNERS, n=1)
        hint = f" Perhaps '{near[0]}' was meant." if near else ""
        raise SettingsError(f"There is no learner '{name}'; there are {', '.join(LEARNERS)}.{hint}")
    learner: Learner = LEARNERS[name][0]()
    return learner


def fitted_from(name: str, arrays: Mapping[str, Any]) -> Fitted:
    """What a learner of that name had fitted; raises `BundleError` for a name that is not known here."""
    if name not in LEARNERS:
        raise BundleError(f"The bundle was made by the learner '{name}', which this Edgewise does not have.")
    own = {key: value for key, value in arrays.items() if not key.startswith(ADDED)}
    return with_added(LEARNERS[name][1].from_arrays(own), arrays)
