"""What is checked of `[judge]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import Settings


def judge_complaints(settings: Settings) -> Iterator[Complaint]:
    """Everything in this section that cannot be run."""
    judge = settings.judge
    if not 0.0 <= judge.share <= 1.0:
        yield expected("judge.share", judge.share, "a number from 0 to 1")
    if not judge.usd_per_day >= 0.0:
        yield expected("judge.usd_per_day", judge.usd_per_day, "a number of 0 or more")
    known = {candidate.id: candidate for candidate in settings.candidates}
    for place, name in enumerate(judge.by):
        if name not in known:
            yield expected(f"judge.by[{place}]", name, f"a candidate's id ({', '.join(known)})")
        elif known[name].location == "cloud" and known[name].price is None:
            yield expected(f"judge.by[{place}]", name, "a candidate with a price, since a budget is kept")
    if judge.share > 0.0 and not judge.by:
        yield expected("judge.by", list(judge.by), "at least one candidate where `share` is above 0")
    if judge.share > 0.0 and settings.store.prompts != "full":
        wanted = '"full" where served answers are judged: their texts are read from the log'
        yield expected("store.prompts", settings.store.prompts, wanted)
