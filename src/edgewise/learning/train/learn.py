"""Train: describe the prompts, fit a head a quantity, measure it on held-out prompts, pack a bundle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.domain.errors import SettingsError, TableError
from edgewise.features.described import describer, version_of
from edgewise.learning.train.answers import answer_heads
from edgewise.learning.train.caution import caution
from edgewise.learning.train.held_out import calibration_error, errors, fit_and_hold_out, spread
from edgewise.learning.train.pack import Packed, pack, write_bundle
from edgewise.learning.train.share import Target, check_target, gains_of, offsets_for
from edgewise.learning.train.targets import MOST_WEIGHT, fingerprint, targets_of
from edgewise.monitors.drift.reference import Reference
from edgewise.policies.bundles.bundle import POSITIVE, VALUE
from edgewise.policies.learners.positive import PositiveLearner
from edgewise.policies.learners.registry import learner_called
from edgewise.policies.learners.ridge import RidgeLearner
from edgewise.policies.learners.robust import CLIP, doubly_robust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.learning.train.targets import Targets
    from edgewise.policies.bundles import Bundle
    from edgewise.policies.objectives import Objective

    Doubles = NDArray[np.float64]

FEWEST_PROMPTS = 5
SEED = 0
ANY_SHARE = Target()
IPW, DOUBLY_ROBUST = "ipw", "doubly-robust"
ROBUST_NOTE = f"Logged choices: doubly robust outcomes are learned; a residual counts {CLIP:g} times at most."
IPW_NOTE = f"Logged choices: each counts by 1 / propensity, {MOST_WEIGHT:g} times at most."


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train: `learner` by name, `target` a share or budget.

    `features` is static, minilm, URL#MODEL or a version.

    `bandit` says how logged choices are learned from: `doubly-robust` or `ipw`, by inverse propensity.
    With `sketches` the bundle can tell which prompts nearly equal one that it was trained on.
    """

    objective: Objective
    features: str = "static"
    learner: str = "auto"
    seed: int = SEED
    target: Target = ANY_SHARE
    bandit: str = DOUBLY_ROBUST
    sketches: bool = True


@dataclass(frozen=True, slots=True)
class Trained:
    """What training made: files by name, and the same as a bundle in memory."""

    packed: Packed
    bundle: Bundle
    notes: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Write the bundle: aside first, then in one step into its place."""
        write_bundle(self.packed, folder)


def learn(
    table: OutcomeTable, options: TrainOptions, *, progress: Callable[[str], None] | None = None
) -> Trained:
    """Train a bundle. The same table, options and seed give the same bytes. Raises `TableError`."""
    say = progress or _quiet
    table = table.checked()
    _check(table, options)
    targets = targets_of(table, options.objective)
    say(f"describing {len(table):,} prompts")
    options = replace(options, features=version_of(options.features, table.prompts, progress=say))
    features = describer(options.features, progress=say)(table.prompts)
    heads = _Heads(table, targets, features, options, say)
    heads.value()
    heads.quality()
    heads.positive()
    heads.criticality()
    if table.responses:
        say("reading answers")
    for name, rule, metrics in answer_heads(table, targets, features, options.features, options.seed):
        heads.add(name, rule.arrays(), "answers", metrics)
    notes = [*table.notes, *heads.notes]
    offsets, note = offsets_for(options.target, table, heads.held)
    margin, why = caution(table, heads.held, targets.value)
    if note:  # a share or a budget was asked for: it decides how often, the forecasts whom
        margin, why = np.zeros_like(margin), note
    packed = pack(
        table,
        options.objective,
        options.features,
        options.learner,
        options.seed,
        heads=heads.parts,
        spread=heads.spread,
        offsets=offsets,
        gains=gains_of(table, heads.held),
        target=options.target,
        margin=margin,
        metrics=heads.metrics,
        fingerprint=fingerprint(table, targets.value),
        notes=[*notes, *why],
        sketched=options.sketches,
        reference=Reference.of(features.statistics),
    )
    return Trained(packed, packed.bundle(), (*notes, *why))


def _check(table: OutcomeTable, options: TrainOptions) -> None:
    """Raise now what would otherwise be found after minutes of training."""
    if options.bandit not in {IPW, DOUBLY_ROBUST}:
        raise SettingsError(f"--bandit is {IPW} or {DOUBLY_ROBUST}; found '{options.bandit}'.")
    if len(set(table.keys)) < FEWEST_PROMPTS:
        raise TableError(
            f"The table has {len(set(table.keys))} different prompts; "
            f"learning needs at least {FEWEST_PROMPTS}."
        )
    check_target(options.target, table)
    learner_called(options.learner)


class _Heads:
    """The heads as they are fitted: `parts` maps a name to (arrays, learner, metrics)."""

    def __init__(
        self,
        table: OutcomeTable,
        targets: Targets,
        features: Described,
        options: TrainOptions,
        say: Callable[[str], None],
    ) -> None:
        self._table, self._targets, self._features = table, targets, features
        self._options, self._say = options, say
        self.parts: dict[str, tuple[dict[str, Any] | str, str, dict[str, dict[str, float | None]]]] = {}
        self.spread: dict[str, tuple[Any, Any]] = {}
        self.metrics: dict[str, Any] = {}
        self.notes: list[str] = []
        self.held: Doubles = np.zeros((0, 0))
        self._robust = table.is_bandit and options.bandit == DOUBLY_ROBUST
        if table.is_bandit:
            self.notes.append(ROBUST_NOTE if self._robust else IPW_NOTE)

    def add(
        self, name: str, arrays: dict[str, Any], learner: str, metrics: dict[str, dict[str, float | None]]
    ) -> None:
        """Keep a fitted head."""
        self.parts[name] = (arrays, learner, metrics)

    def value(self) -> None:
        """What decides: the objective's utility itself."""
        self._say(f"learning {self._options.objective.name} from {len(self._table):,} prompts")
        self.held = self._fit(VALUE, self._targets.value)

    def quality(self) -> None:
        """Quality and reward, where they are not the utility already."""
        for name in ("quality", "reward"):
            truth = self._targets.metrics.get(name)
            if truth is None:
                continue
            if np.array_equal(truth, self._targets.value, equal_nan=True):
                self.parts[name] = (VALUE, self._options.learner, self.parts[VALUE][2])
                self.spread[name] = self.spread[VALUE]
                held = self.held
            else:
                self._say(f"learning {name}")
                held = self._fit(name, truth)
            if name == "quality":
                self.metrics["calibration_error"] = calibration_error(held, truth)

    def positive(self) -> None:
        """Latency, tokens and cost: in log space, with quantiles."""
        for name in POSITIVE:
            truth = self._targets.metrics.get(name)
            if truth is None or (name == "cost_usd" and not self._table.has("cost_usd")):
                continue
            self._say(f"learning {name}")
            data = self._targets.training(self._features, truth, self._options.seed)
            rule, held = PositiveLearner().cross_fit_alone(data)
            held[:, np.nan_to_num(truth).max(axis=0) <= 0.0] = 0.0  # what is free is known to be free
            self.add(name, dict(rule.arrays()), "positive", errors(held, truth, self._table.candidates))

    def criticality(self) -> None:
        """Mission and time criticality of a prompt, where the table has them."""
        said = self._table.criticality
        if not {"mission_criticality", "time_criticality"} <= set(said):
            return
        truth = np.stack([said["mission_criticality"], said["time_criticality"]], axis=1)
        data = self._targets.training(self._features, truth, self._options.seed)
        rule, held = fit_and_hold_out(RidgeLearner(), replace(data, weights=np.ones_like(truth)))
        self.add("criticality", dict(rule.arrays()), "ridge", errors(held, truth, ("mission", "time")))

    def _fit(self, name: str, truth: Doubles) -> Doubles:
        learner = learner_called(self._options.learner)
        data = self._targets.training(self._features, truth, self._options.seed)
        if self._robust:
            data = doubly_robust(data, self._targets.counts)
        fitted, held = fit_and_hold_out(learner, data)
        self.add(
            name, dict(fitted.arrays()), self._options.learner, errors(held, truth, self._table.candidates)
        )
        self.spread[name] = spread(held, truth)
        return held


def _quiet(_: str) -> None:
    """Say nothing."""
