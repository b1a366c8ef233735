"""`[judge]` → the judge of served answers, or None where none is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.places import home

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Feedback
    from edgewise.domain.protocols import Upstream
    from edgewise.learning.judge.live import LiveJudge
    from edgewise.settings import Settings


def judge_for(
    settings: Settings,
    candidates: Sequence[Candidate],
    upstreams: Mapping[str, Upstream],
    append: Callable[[Feedback], Awaitable[None]],
) -> LiveJudge | None:
    """Who judges a share of what is served, and hands what they say to `append`."""
    asked = settings.judge
    if not asked.share or not asked.by:
        return None
    from edgewise.learning.judge import Judge, Kept, Panel  # noqa: PLC0415 - loaded only where judging is on
    from edgewise.learning.judge.daily import FILE, DailyPurse  # noqa: PLC0415 - the same
    from edgewise.learning.judge.kept import FILE as KEPT  # noqa: PLC0415 - the same
    from edgewise.learning.judge.live import LiveJudge  # noqa: PLC0415 - the same

    known = {candidate.id: candidate for candidate in candidates}
    names = {*known, *(candidate.model for candidate in candidates if candidate.model)}
    purse = DailyPurse(asked.usd_per_day, home() / FILE, time_zone=settings.budget.time_zone)
    kept = Kept(home() / KEPT)

    def panel() -> Panel:
        judges = [Judge(known[name], upstreams[name]) for name in asked.by]
        return Panel(judges, purse, kept=kept, names=names, at_once=1)

    return LiveJudge(panel, purse, append, share=asked.share)
