"""A profile as a whole: the folder made ready, gone on with where it ended, and counted."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError
from edgewise.execution.asking import Asking
from edgewise.learning.profile.asking import Measuring
from edgewise.learning.profile.journal import Journal
from edgewise.learning.profile.manifest import continued, write_manifest
from edgewise.learning.profile.order import copied
from edgewise.learning.profile.purse import Purse
from edgewise.learning.profile.run import Profiler, lanes_for
from edgewise.settings.looping import ProfileSettings
from edgewise.settings.schema import ExecutionSettings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Upstream
    from edgewise.learning.prompts.files import Prompt

PROMPTS = "prompts.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, and how: `slots` are the calls that a candidate is known to answer at a time.

    With `again` what failed or was lost is asked once more. `limits` are the deadlines of a call.
    """

    candidates: Sequence[Candidate]
    settings: ProfileSettings = field(default_factory=ProfileSettings)
    slots: Mapping[str, int] = field(default_factory=dict[str, int])
    limits: ExecutionSettings = field(default_factory=ExecutionSettings)
    budget_usd: float | None = None
    again: bool = False

    def check(self) -> None:
        """Raise `SettingsError` where a budget could not be kept."""
        if self.budget_usd is None:
            return
        unpriced = [c.id for c in self.candidates if c.price is None]
        if unpriced:
            raise SettingsError(
                f"{', '.join(unpriced)} has no price, so that no budget can be kept; give it one "
                "(price = { input = …, output = … }), or leave it out with --candidates."
            )


@contextmanager
def profiler(
    prompts: Iterable[Prompt], folder: Path, plan: Plan, upstreams: Mapping[str, Upstream]
) -> Generator[Profiler]:
    """A profile in `folder` that is ready to run, or to go on; nobody has been asked yet.

    Raises `TableError` and `StoreError` for prompts and folders that cannot be used, `SettingsError` for a
    budget that cannot be kept.
    """
    plan.check()
    before = continued(folder, plan.settings, plan.candidates)
    journal = Journal(folder, again=plan.again)  # first of all: who fills the folder reads its prompts, too
    try:
        order = copied(prompts, folder / PROMPTS, plan.settings.seed)
        write_manifest(folder, before, plan.settings, plan.candidates, order)
        ready = Profiler(
            order,
            lanes_for(plan.candidates, plan.settings.concurrency, plan.slots),
            Measuring(Asking(upstreams, plan.limits), plan.settings),
            journal,
            Purse(plan.budget_usd, journal.spent_usd),
        )
        ready.survey()
        yield ready
    finally:
        journal.close()
