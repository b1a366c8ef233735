"""How policies choose on prompts that they were not made from: folds, rounds, and what each round gathers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.learning.evaluate.baselines import Choices, Part, baselines, best_baseline, chosen, means
from edgewise.learning.evaluate.reading import first_asked, learned
from edgewise.learning.tables import folds, utilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.policies.bundles import Bundle
    from edgewise.policies.objectives import Objective

    Floats = NDArray[np.float64]
    Describe = Callable[[Sequence[str]], Described]
    Learn = Callable[[OutcomeTable], Bundle]

LEARNED, ANSWERED, BEST, ORACLE = "learned", "learned, having read", "best baseline", "oracle"
FEWEST_PROMPTS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """`folds` parts, dealt anew `repeats` times with the seeds `seed`, `seed` + 1, …"""

    folds: int = 5
    repeats: int = 1
    seed: int = 0

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each deal."""
        return tuple(range(self.seed, self.seed + self.repeats))


@dataclass(slots=True)
class Sheet:
    """One policy on all n prompts: `odds` (n, m) averaged over repeats, `scores` (n, m) of each repeat."""

    odds: Floats
    scores: list[Floats] = field(default_factory=list["Floats"])


@dataclass(slots=True)
class Gathered:
    """All that was measured and chosen on `table`, whose every prompt has each candidate's `gain` (n, m).

    `fold` holds the (n,) fold numbers of each repeat, `quality` the learned policy's forecasts of quality
    (n, m) by repeat, `prices` (m,) the training part's mean cost of each candidate. `pooled` names the
    policies that are the same in each fold. `first` is the column whose answer was read.
    """

    table: OutcomeTable
    gain: Floats
    objective: Objective
    sheets: dict[str, Sheet] = field(default_factory=dict[str, Sheet])
    quality: list[Floats] = field(default_factory=list["Floats"])
    fold: list[NDArray[np.int64]] = field(default_factory=list["NDArray[np.int64]"])
    picked: Counter[str] = field(default_factory=Counter[str])
    prices: Floats | None = None
    pooled: tuple[str, ...] = ()
    first: int | None = None

    @property
    def answered(self) -> str:
        """The name of the policy that reads an answer first; empty where there is none."""
        return "" if self.first is None else f"{ANSWERED} {self.table.candidates[self.first]}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the policies come from.

    `learn` gives the bundle for a training part (always the same: `one_bundle`), `describe` the features;
    `fitted_on` is the table on which
    the baselines are fitted, where that is not the rest of the table itself.
    """

    learn: Learn
    describe: Describe
    one_bundle: bool = False
    fitted_on: OutcomeTable | None = None


def gather(
    table: OutcomeTable, objective: Objective, source: Source, plan: Plan, *, say: Callable[[str], None]
) -> Gathered:
    """Let every policy choose on every prompt. Raises `TableError` for too few prompts to split."""
    gain = utilities(table, objective)
    whole = np.flatnonzero(~np.isnan(gain).any(axis=1))
    if len({table.keys[row] for row in whole}) < max(FEWEST_PROMPTS, plan.folds):
        raise TableError(
            f"Prompts that were measured under every candidate: {len(whole)}; "
            f"{max(FEWEST_PROMPTS, plan.folds)} are needed to judge anything."
        )
    features = source.describe(table.prompts)
    everything = Part(table, gain, features.vectors)
    fixed = None
    if source.fitted_on is not None:
        vectors = source.describe(source.fitted_on.prompts).vectors
        fixed = Part(source.fitted_on, utilities(source.fitted_on, objective), vectors)
    found = Gathered(table.take(whole), gain[whole], objective)
    place = np.full(len(table), -1)
    place[whole] = np.arange(len(whole))
    for repeat, seed in enumerate(plan.seeds):
        fold = folds(table.keys, plan.folds, seed)
        found.fold.append(fold[whole])
        found.quality.append(np.full(found.gain.shape, np.nan))
        for number in range(plan.folds):
            say(f"repeat {repeat + 1} of {plan.repeats}, fold {number + 1} of {plan.folds}")
            out = whole[fold[whole] == number]
            rest = np.flatnonzero(fold != number)
            if len(out):
                train = fixed or everything.take(rest)
                bundle = source.learn(train.table)
                _round(
                    found, train, everything.take(out), features.take(out), bundle, place[out], repeat, seed
                )
    for sheet in found.sheets.values():
        sheet.odds /= plan.repeats
    same = tuple(found.sheets) if fixed is not None else (LEARNED, found.answered)
    found.pooled = same if source.one_bundle else ()
    found.sheets[ORACLE] = Sheet(chosen(found.gain), [found.gain])
    return found


def _round(  # noqa: PLR0913, PLR0917 - one fold's parts
    found: Gathered,
    train: Part,
    test: Part,
    features: Described,
    bundle: Bundle,
    rows: NDArray[np.int64],
    repeat: int,
    seed: int,
) -> None:
    """One fold: all policies choose on its prompts."""
    ours = baselines(train, test)
    best = best_baseline(train, ours, seed)
    found.picked[best] += 1
    ours[BEST] = ours[best]
    found.first = first_asked(bundle, test.table) if found.first is None else found.first
    said = learned(bundle, test.table, features, found.first)
    ours[LEARNED] = Choices(chosen(said.value), said.value)
    if said.after is not None:
        after = said.after + _sunk(train, found.objective, found.first)
        ours[found.answered] = Choices(chosen(after), after)
    if said.quality is not None:
        found.quality[repeat][rows] = said.quality
    costs = train.table.costs()
    if found.prices is None and costs is not None:
        found.prices = means(costs, np.nan)
    for name, choices in ours.items():
        _write(found, name, choices, rows, repeat)


def _sunk(train: Part, objective: Objective, first: int | None) -> Floats:
    """What it takes from each other candidate's mean utility (m,) that the first one was asked before it."""
    return means(utilities(train.table, objective, after=first) - train.gain, 0.0)


def _write(found: Gathered, name: str, choices: Choices, rows: NDArray[np.int64], repeat: int) -> None:
    sheet = found.sheets.setdefault(name, Sheet(np.zeros(found.gain.shape)))
    sheet.odds[rows] += choices.odds
    if choices.scores is None:
        return
    while len(sheet.scores) <= repeat:
        sheet.scores.append(np.full(found.gain.shape, np.nan))
    sheet.scores[repeat][rows] = choices.scores
