"""A profile from the command line: the configured candidates, their slots, a bar, and Ctrl-C."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a dataclass's field
from typing import TYPE_CHECKING

from edgewise.cli.console import err
from edgewise.cli.progress import lasting, stoppable, watching
from edgewise.domain.errors import SettingsError, StoreError
from edgewise.settings import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Upstream
    from edgewise.learning.profile import Estimate, Plan
    from edgewise.learning.prompts import Prompt
    from edgewise.settings import Settings

SEEN = 2_000  # of the log's last decisions, from which latencies are known


@dataclass(frozen=True, slots=True)
class Job:
    """One profile: which prompts, into which folder, by whom (nobody named: all), for how much."""

    prompts: Path
    folder: Path
    candidates: tuple[str, ...] = ()
    budget_usd: float | None = None
    again: bool = False
    keep_good: bool = False

    def read(self) -> Iterator[Prompt]:
        """The prompts; what is wrong with the others is said where they may be left out."""
        from edgewise.learning.graders.checked import checked  # noqa: PLC0415 - loads only with a profile
        from edgewise.learning.prompts import read_prompts  # noqa: PLC0415 - the same

        return checked(read_prompts(self.prompts, keep_good=self.keep_good, bad=err), self.prompts.name)

    def plan(self, settings: Settings) -> Plan:
        """Whom to ask, and how. Raises `SettingsError` where nobody is left."""
        from edgewise.learning.profile import Plan  # noqa: PLC0415 - loads only with a profile

        chosen = chosen_of(settings, self.candidates)
        return Plan(
            chosen,
            settings.profile,
            slots_of(settings),
            settings.execution,
            budget_usd=self.budget_usd,
            again=self.again,
        )


def chosen_of(settings: Settings, wanted: tuple[str, ...]) -> tuple[Candidate, ...]:
    """The chat candidates that are wanted; all of them where none is named."""
    chat = {c.id: describe(c) for c in settings.candidates if c.kind == "chat"}
    if unknown := [name for name in wanted if name not in chat]:
        raise SettingsError(f"There is no chat candidate '{unknown[0]}'; there are {', '.join(chat)}.")
    if not chat:
        raise SettingsError("No chat candidate is configured; add [[candidates]] to edgewise.toml.")
    return tuple(chat[name] for name in (wanted or chat))


def slots_of(settings: Settings) -> dict[str, int]:
    """How many calls a candidate answers at a time, where that is known."""
    from edgewise.upstreams.embedded import EmbeddedRuntime  # noqa: PLC0415 - loads only with a profile

    found: dict[str, int] = {}
    for candidate in settings.candidates:
        if candidate.slots is not None:
            found[candidate.id] = candidate.slots
        elif candidate.embedded is not None:
            found[candidate.id] = EmbeddedRuntime.of(candidate.embedded).slots
    return found


async def profiled(settings: Settings, job: Job) -> str | None:
    """Fill the job's folder; the signal that ended it early, if one did."""
    from edgewise.app import App  # noqa: PLC0415 - loaded only when somebody is asked

    async with App(settings) as app:
        return await filled(app.upstreams.by_id, job, job.plan(settings))


async def filled(upstreams: Mapping[str, Upstream], job: Job, plan: Plan) -> str | None:
    """The same with upstreams that are open already."""
    from edgewise.learning.profile import profiler  # noqa: PLC0415 - loads only with a profile

    with profiler(job.read(), job.folder, plan, upstreams) as ready, stoppable(ready.halt) as heard:
        tally, ready.say = ready.tally, _say
        if tally.before:
            err(f"{job.folder}: {tally.before:,} of {tally.total:,} calls were made before; they stay.")
        try:
            with watching(ready):
                await ready.run()
        except asyncio.CancelledError:
            if not heard:
                raise
        if tally.lost:
            err(
                f"{tally.lost:,} calls were under way when an earlier run was killed; they may have been "
                "paid, and are not asked again (--again asks them)."
            )
        if tally.unaffordable:
            err(
                f"The budget of ${job.budget_usd:g} is used up (${ready.purse.spent:.4f} spent): "
                f"{tally.total - tally.ended:,} calls were not made."
            )
    return heard[0] if heard else None


def _say(sentence: str) -> None:
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - what an endpoint says may hold anything

    err(plain(sentence))


def estimated(settings: Settings, job: Job) -> tuple[Estimate, ...]:
    """What the job would take; nobody is asked."""
    from edgewise.learning.profile import estimate  # noqa: PLC0415 - loads only with a profile

    return estimate(job.read(), job.folder, job.plan(settings), _seen(settings))


def told(found: tuple[Estimate, ...], budget_usd: float | None) -> tuple[list[list[str]], list[str]]:
    """An estimate as rows of a table, and in sentences."""
    from edgewise.learning.profile import takes_s  # noqa: PLC0415 - loads only with a profile

    rows = [
        [
            each.candidate,
            f"{each.calls:,}",
            f"{each.input_tokens:,}",
            "unpriced" if each.cost_usd is None else f"${each.cost_usd:.4f}",
            "" if each.most_usd is None else f"${each.most_usd:.4f}",
            lasting(each.takes_s) + ("" if each.measured else " (assumed)"),
            str(each.width),
        ]
        for each in found
    ]
    most = sum(each.most_usd or 0.0 for each in found)
    about = sum(each.cost_usd or 0.0 for each in found)
    calls = sum(each.calls for each in found)
    said = [f"{calls:,} calls, about {lasting(takes_s(found))}, about ${about:.4f}, at most ${most:.4f}."]
    if any(each.cost_usd is None and each.calls for each in found):
        said.append("Candidates without a price are not in these costs.")
    if budget_usd is not None and most > budget_usd:
        said.append(f"The budget of ${budget_usd:g} may end it before it is done.")
    return rows, said


def _seen(settings: Settings) -> dict[str, float]:
    """Latencies that the outcome log knows, by candidate; none where there is no log."""
    from statistics import median  # noqa: PLC0415 - few need it

    from edgewise.domain.places import home  # noqa: PLC0415 - the same
    from edgewise.outcomes import LogReader  # noqa: PLC0415 - the same

    path = home() / settings.store.path
    if not path.exists():
        return {}
    found: dict[str, list[float]] = {}
    try:
        stories = LogReader(path).latest(SEEN)
    except StoreError:
        return {}
    for story in stories:
        if story.outcome is not None and story.outcome.status == "ok":
            found.setdefault(story.outcome.candidate, []).append(story.outcome.latency_s)
    return {name: median(values) for name, values in found.items()}
