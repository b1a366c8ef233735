"""Evaluate: a bundle on a table it has not seen, or training itself by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.features.described import describer, version_of
from edgewise.learning.evaluate.bootstrap import Bootstrap
from edgewise.learning.evaluate.curves import apgrs, calibration_report, deferrals, frontier_report
from edgewise.learning.evaluate.held_out import Plan, Source, gather
from edgewise.learning.evaluate.judge import comparisons, policy_reports, realised, sd_over_repeats
from edgewise.learning.evaluate.report import Leakage, Report
from edgewise.learning.tables import near_duplicates, near_within, objective_for
from edgewise.learning.tables.sketches import MOST, near, sketch
from edgewise.learning.train import learn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgewise.learning.evaluate.held_out import Gathered
    from edgewise.learning.tables import OutcomeTable
    from edgewise.learning.train import TrainOptions
    from edgewise.policies.bundles import Bundle

HELD_OUT, CROSS_VALIDATION = "held-out", "cross-validation"
BOOTSTRAP_SEED = 0
SEEN = "No verdict: the policy had seen every prompt; bring other prompts, or use --cv 5x5."


def evaluate(
    bundle: Bundle,
    table: OutcomeTable,
    *,
    name: str,
    trained_on: OutcomeTable | None = None,
    say: Callable[[str], None],
) -> Report:
    """Judge a bundle on the prompts of `table` that it was not trained on.

    Baselines are fitted on `trained_on`, or else on the other four fifths of `table`. Raises `TableError`
    where the table cannot judge this bundle.
    """
    table, notes = _aligned(table, bundle)
    trained_on = None if trained_on is None else trained_on.only(table.candidates)
    asked = bundle.objective
    objective, note = objective_for(table, asked.name, weight=asked.weight, floor=asked.floor)
    seen = _seen(table, bundle)
    fresh = table.take(~seen)
    leaked = _leakage(table, seen, trained_on, bundle)
    whole = not len(fresh)
    source = Source(
        lambda _: bundle, describer(bundle.manifest.features), one_bundle=True, fitted_on=trained_on
    )
    plan = Plan()
    found = gather(table if whole else fresh, objective, source, plan, say=say)
    fitted = "the training table" if trained_on is not None else "the other four fifths of this table"
    notes += [note, f"Baselines are fitted, and the best one is picked, on {fitted}."]
    seeds = {"folds": [*plan.seeds], "training": [bundle.manifest.seed]}
    return _report(found, HELD_OUT, name, leaked, [*table.notes, *notes], seeds, trustworthy=not whole)


def cross_validate(
    table: OutcomeTable, options: TrainOptions, plan: Plan, *, name: str, say: Callable[[str], None]
) -> Report:
    """Train on all folds but one, judge on that one, for each fold of each repeat. Raises `TableError`."""
    _refuse_logged(table)
    table = table.checked()
    version = version_of(options.features, table.prompts, progress=say)
    options = replace(options, features=version, sketches=False)  # one for all parts

    def trained(part: OutcomeTable) -> Bundle:
        return learn(part, options).bundle

    describe = describer(options.features, progress=say)
    found = gather(table, options.objective, Source(trained, describe), plan, say=say)
    alike = near_within(table.prompts, table.keys)
    leaked = Leakage(
        f"No prompt stands on both sides of a split; {alike:,} of {len(table):,} nearly equal another one.",
        prompts=len(table),
        seen=0,
        near=alike,
        counted=len(found.table),
    )
    _, note = objective_for(
        table, options.objective.name, weight=options.objective.weight, floor=options.objective.floor
    )
    how = (
        f"Figures are from prompts outside the training part: {plan.repeats} x {plan.folds} folds by prompt."
    )
    seeds = {"folds": [*plan.seeds], "training": [options.seed]}
    return _report(found, CROSS_VALIDATION, name, leaked, [*table.notes, note, how], seeds, trustworthy=True)


def _report(  # noqa: PLR0913, PLR0917 - one argument for each part of the report
    found: Gathered,
    kind: str,
    name: str,
    leaked: Leakage,
    notes: list[str],
    seeds: dict[str, list[int]],
    *,
    trustworthy: bool,
) -> Report:
    boot = Bootstrap(found.table.keys, seed=BOOTSTRAP_SEED)
    policies = realised(found)
    against = comparisons(found, policies, boot) if trustworthy else ()
    left = leaked.prompts - leaked.seen - len(found.table)
    if trustworthy and left > 0:
        notes.append(f"{left:,} prompts lack a candidate's outcome and are not judged.")
    verdict = against[0].sentence if against else SEEN
    return Report(
        kind=kind,
        table=name,
        objective=found.objective.name,
        candidates=found.table.candidates,
        prompts=len(found.table),
        leakage=leaked,
        verdict=verdict,
        trustworthy=trustworthy,
        seeds=seeds | {"bootstrap": [BOOTSTRAP_SEED]},
        notes=tuple(dict.fromkeys(notes)),
        policies=policy_reports(found, policies, boot, apgrs(found)),
        comparisons=against,
        utility_sd_over_repeats=sd_over_repeats(found),
        deferral=deferrals(found, boot),
        frontier=frontier_report(found),
        calibration=calibration_report(found),
    )


def _aligned(table: OutcomeTable, bundle: Bundle) -> tuple[OutcomeTable, list[str]]:
    """The table with the candidates that both know, and what was left out."""
    _refuse_logged(table)
    shared = tuple(candidate for candidate in table.candidates if candidate in bundle.candidates)
    if len(shared) < 2:  # noqa: PLR2004 - a choice needs two
        raise TableError(
            f"The bundle chooses between {', '.join(bundle.candidates)}, the table has "
            f"{', '.join(table.candidates)}: at least two must be the same."
        )
    notes: list[str] = []
    if unknown := [c for c in table.candidates if c not in shared]:
        notes.append(f"The bundle does not know {', '.join(unknown)}: left out.")
    if absent := [c for c in bundle.candidates if c not in shared]:
        notes.append(f"The table has no outcomes of {', '.join(absent)}: never chosen here.")
    return (table if not unknown else table.only(shared)), notes


def _refuse_logged(table: OutcomeTable) -> None:
    if table.is_bandit:
        raise TableError(
            "The table is logged traffic (it has `propensity`): only chosen candidates' outcomes are known. "
            "`edgewise replay` judges a policy on that."
        )


def _seen(table: OutcomeTable, bundle: Bundle) -> NDArray[np.bool_]:
    """(n,) whether a prompt is among those that the bundle was trained on."""
    keys = np.array([int(key[:16], 16) for key in table.keys], dtype=np.uint64)
    return np.isin(keys, bundle.keys)


def _near(fresh: list[str], trained_on: OutcomeTable | None, bundle: Bundle) -> tuple[int | None, str]:
    """How many prompts nearly equal a training prompt, None where nothing tells; and a sentence on it."""
    if trained_on is not None:
        count = near_duplicates(trained_on.prompts, fresh)
        return count, f" {count:,} others nearly equal a training prompt."
    if not len(bundle.sketches):
        return None, " Near-duplicates can only be counted beside the training table (--trained-on TABLE)."
    count = int(near(bundle.sketches, sketch(fresh)).sum())
    whom = (
        "a training prompt" if len(bundle.sketches) < MOST else f"one of {MOST:,} sketched training prompts"
    )
    return count, f" About {count:,} others nearly equal {whom}."


def _leakage(
    table: OutcomeTable, seen: NDArray[np.bool_], trained_on: OutcomeTable | None, bundle: Bundle
) -> Leakage:
    fresh = [prompt for prompt, known in zip(table.prompts, seen, strict=True) if not known]
    nearly, more = _near(fresh, trained_on, bundle)
    count = int(seen.sum())
    if count == len(table):
        said = (
            f"All {count:,} prompts were in the training part: these figures say nothing about new prompts."
        )
    elif count:
        said = f"{count:,} of {len(table):,} prompts were in the training part; no figure counts them."
    else:
        said = f"None of the {len(table):,} prompts was in the training part."
    return Leakage(said + more, len(table), count, nearly, len(fresh) or len(table))
