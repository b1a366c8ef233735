"""The loop's last two stages: a bundle of the judged table, and what such a bundle is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.domain.objectives import Objective
from edgewise.features.described import describer
from edgewise.features.endpoint.names import is_url
from edgewise.learning.evaluate import Plan, cross_validate
from edgewise.learning.evaluate.page import write
from edgewise.learning.tables import objective_for, read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.learners.registry import learner_called

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgewise.learning.evaluate import Report
    from edgewise.learning.tables import OutcomeTable


@dataclass(frozen=True, slots=True)
class Training:
    """How the loop trains and judges: an objective (the table's own where None), features, folds, repeats."""

    objective: str | None = None
    weight: float = 0.0
    floor: float = 0.8
    features: str = "static"
    learner: str = "auto"
    seed: int = 0
    folds: int = 5
    repeats: int = 2

    def check(self) -> None:
        """Raise now, in one sentence, for a name or number that training would refuse later."""
        Objective(self.objective or "qos", self.weight, self.floor)
        learner_called(self.learner)
        if not is_url(self.features):
            describer(self.features)

    def options(self, table: OutcomeTable, say: Callable[[str], None]) -> TrainOptions:
        """What to train for on this table. Raises `TableError` where it lacks what the objective reads."""
        objective, note = objective_for(table, self.objective, weight=self.weight, floor=self.floor)
        say(note)
        return TrainOptions(objective, features=self.features, learner=self.learner, seed=self.seed)


def trained(judged: Path, bundle: Path, training: Training, say: Callable[[str], None]) -> None:
    """Train on every judged prompt, and save. Raises `TableError`."""
    table = read_table(judged)
    made = learn(table, training.options(table, say), progress=say)
    made.save(bundle)
    for note in made.notes:
        say(note)


def evaluated(judged: Path, folder: Path, training: Training, say: Callable[[str], None]) -> Report:
    """Judge such training by cross-validation, on prompts that it did not see, and write the report."""
    table = read_table(judged)
    plan = Plan(training.folds, training.repeats, training.seed)
    report = cross_validate(table, training.options(table, lambda _: None), plan, name=judged.name, say=say)
    write(report, folder)
    return report
