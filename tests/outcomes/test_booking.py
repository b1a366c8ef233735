"""What the latest requests cost and whom their texts reached, read from a real log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.outcomes.sample import decision, outcome

from edgewise.dashboard.savings import saved_against
from edgewise.domain.candidates import Candidate, Objection, Price
from edgewise.domain.decisions import Attempt, Decision, Outcome
from edgewise.outcomes import LogReader, SqliteLog

PHI = Candidate("phi", "edge", "device", price=Price(0.0, 0.0))
GPT = Candidate("gpt", "cloud", "cloud", price=Price(1.0, 10.0))
WILD = Candidate("wild", "cloud", "cloud")
AWAY = Objection("gpt", "privacy", "The request is held local (found by 'iban'), and 'gpt' is in a cloud")


def pair(
    candidate: str, usd: float | None, *, chosen: str = "", counted: bool = True, **more: Any
) -> tuple[Decision, Outcome]:
    """A decision and its outcome: 100 tokens in, 10 out, billed unless nothing is known of the cost."""
    asked = tuple(dict.fromkeys((chosen or candidate, candidate)))
    plain = {"chosen": asked[0], "objections": (), "at": 1000.0}
    made = decision(**{**plain, **more})
    attempts = tuple(Attempt(candidate=name, status="ok", started_s=0.0, latency_s=0.1) for name in asked)
    known = (100, 10) if counted else (None, None)
    state = "unpriced" if usd is None else "billed"
    return made, outcome(
        made, candidate=candidate, cost_usd=usd, cost_state=state, attempts=attempts,
        input_tokens=known[0], output_tokens=known[1],
    )  # fmt: skip


def logged(folder: Path, *pairs: tuple[Decision, Outcome]) -> LogReader:
    """The log with these in it."""

    async def write() -> None:
        async with SqliteLog(folder / "log.sqlite") as log:
            for decision, outcome in pairs:
                await log.append(decision, outcome)

    asyncio.run(write())
    return LogReader(folder / "log.sqlite")


def test_savings_are_of_recorded_costs_and_known_tokens(tmp_path: Path) -> None:
    own = [pair("gpt", 0.0002 + 0.00001 * (at % 3)) for at in range(30)]
    edge = [pair("phi", 0.0) for _ in range(70)]
    reader = logged(
        tmp_path,
        *own,
        *edge,
        pair("gpt", 0.5, reason="shadow"),
        pair("gpt", 0.7, counted=False),
        pair("wild", None),
    )
    rows = reader.booked(1000)
    assert sum(row.requests for row in rows) == 103
    gpt, phi = saved_against([row for row in rows if not row.shadow], {c.id: c for c in (PHI, GPT, WILD)})
    recorded = sum(outcome.cost_usd or 0.0 for _, outcome in own)
    assert (gpt.baseline, gpt.requests) == ("gpt", 100)
    assert gpt.recorded_usd == pytest.approx(recorded)
    assert gpt.baseline_usd == pytest.approx(100 * (100 * 1.0 + 10 * 10.0) / 1e6)
    assert gpt.share == pytest.approx(1 - recorded / gpt.baseline_usd)
    assert gpt.own is not None
    assert gpt.own.mean == pytest.approx(100 * recorded / 30)
    assert gpt.own.low < gpt.own.mean < gpt.own.high
    assert (phi.baseline, phi.baseline_usd, phi.share) == ("phi", 0.0, None)
    assert phi.saved_usd == pytest.approx(-recorded), "always asking the edge would have cost nothing"
    assert phi.own is not None


def test_nothing_known_is_no_saving(tmp_path: Path) -> None:
    reader = logged(tmp_path, pair("wild", None))
    assert saved_against(reader.booked(10), {"wild": WILD, "gpt": GPT}) == []


def test_only_the_latest_count(tmp_path: Path) -> None:
    reader = logged(tmp_path, *(pair("gpt", 1.0) for _ in range(5)), *(pair("phi", 0.0) for _ in range(5)))
    assert [(row.candidate, row.requests) for row in reader.booked(5)] == [("phi", 5)]
    assert [row.asked for row in reader.travelled(2)] == [("phi",), ("phi",)]


def test_texts_are_followed_to_everybody_who_was_asked(tmp_path: Path) -> None:
    reader = logged(
        tmp_path,
        pair("phi", 0.0, objections=(AWAY,), privacy="local", evidence={"found:iban": 1.0}, reason="privacy"),
        pair("gpt", 0.1, chosen="phi"),
    )
    fell, kept = reader.travelled(10)
    assert fell.asked == ("phi", "gpt")
    assert fell.kept_by == ()
    assert (kept.asked, kept.privacy, kept.found) == (("phi",), "local", ("iban",))
    assert kept.kept_by == ("The request is held local (found by 'iban')",)


def test_each_key_has_its_own_spending(tmp_path: Path) -> None:
    reader = logged(
        tmp_path,
        pair("gpt", 0.2, key="mine"),
        pair("gpt", 0.3, key="mine"),
        pair("gpt", 0.4, key="yours"),
        pair("gpt", 0.9, key="mine", reason="shadow"),
        pair("gpt", 5.0),
    )
    assert reader.spent_by_key(0.0) == pytest.approx({"mine": 0.5, "yours": 0.4})
    assert reader.spent_by_key(2000.0) == {}
