from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.outcomes.sample import DECISION, OUTCOME

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Feedback, Outcome
from edgewise.domain.ids import mint
from edgewise.learning.judge import BudgetSpent, Judge, Kept, Panel
from edgewise.learning.judge.daily import DailyPurse
from edgewise.learning.judge.live import MOST_WAITING, LiveJudge, is_drawn
from edgewise.outcomes import MemoryLog
from edgewise.upstreams.scripted import Scripted

DAY_S = 86_400.0
GOOD = '{"rationale": "right", "score": 80}'
FREE = Price(0.0, 0.0)
DEAR = Price(1000.0, 1000.0)  # a question costs dollars


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def served(
    *, privacy: str | None = None, status: str = "ok", response: str = "4", **more: Any
) -> tuple[Decision, Outcome]:
    decision = replace(DECISION, id=mint(), prompt="What is 2 + 2?", privacy=privacy, **more)
    return decision, replace(OUTCOME, decision_id=decision.id, response=response, status=status)


class Bench:
    """A live judge over a scripted upstream, and what it wrote."""

    def __init__(self, folder: Path, replies: list[Any], *, share: float = 1.0, **of: Any) -> None:
        self.clock, self.log, self.upstream = Clock(), MemoryLog(), Scripted(replies)
        self.candidate = Candidate(
            id="phi",
            location=of.get("location", "edge"),
            trust=of.get("trust", "device"),
            price=of.get("price", FREE),
        )
        self.purse = DailyPurse(of.get("usd", 1.0), folder / "judge.json", clock=self.clock)
        self.live = LiveJudge(self.panel, self.purse, self.log.append, share=share, clock=self.clock)

    def panel(self) -> Panel:
        return Panel([Judge(self.candidate, self.upstream, retries=0)], self.purse)

    def see(self, *records: tuple[Decision, Outcome]) -> list[Feedback]:
        """Show the records, and judge until nothing waits."""

        async def main() -> None:
            for decision, outcome in records:
                self.live.observe(decision)
                self.live.observe(outcome)
            running = asyncio.create_task(self.live.run())
            done = self.live.judged + self.live.unjudged + self.live.passed_over + len(self.live._waiting)
            while self.live.judged + self.live.unjudged + self.live.passed_over < done:  # noqa: ASYNC110 - nothing tells the end
                await asyncio.sleep(0)
            running.cancel()

        asyncio.run(main())
        return [record for record in self.log.records if isinstance(record, Feedback)]


def test_a_served_answer_gets_a_quality_with_its_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD])
    decision, outcome = served()
    (said,) = bench.see((decision, outcome))
    assert (said.decision_id, said.quality, said.source) == (decision.id, 0.8, "judge:phi")
    assert said.comment == "right"
    (request,) = bench.upstream.asked
    assert request.wishes.priority == "low"  # people go first


def test_what_cannot_be_judged_is_unjudged_and_never_0(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["I cannot say", '{"score": 400}', GOOD])
    said = bench.see(served(), served(response="5"), served(response="6"))
    assert [one.quality for one in said] == [0.8]
    assert (bench.live.judged, bench.live.unjudged) == (1, 2)


def test_only_whole_answers_are_looked_at(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD])
    assert bench.see(served(status="error"), served(status="cancelled"), served(response=" ")) == []
    assert bench.upstream.asked == []
    assert len(bench.live._open) == 0


def test_a_private_answer_is_not_shown_to_a_cloud(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD], location="cloud", trust="cloud")
    assert bench.see(served(privacy="local")) == []
    assert bench.upstream.asked == []
    assert len(bench.see(served())) == 1
    here = Bench(tmp_path, [GOOD])
    assert len(here.see(served(privacy="local"))) == 1


def test_a_judge_far_away_never_sees_what_came_of_something_private(tmp_path: Path) -> None:
    found = served(evidence={"found:iban": 1.0}, response="It ends in 77.")  # it stood in an earlier turn
    away = Bench(tmp_path, [GOOD], location="cloud", trust="cloud")
    assert away.see(found) == []
    assert away.upstream.asked == []
    assert len(Bench(tmp_path, [GOOD]).see(found)) == 1


def test_verdicts_that_cannot_be_kept_are_told_and_end_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD])
    file = tmp_path / "judged.sqlite"
    file.write_bytes(b"no database " * 100)
    bench.live._panel = Panel([Judge(bench.candidate, bench.upstream)], bench.purse, kept=Kept(file))
    assert bench.see(served(), served(response="5")) == []
    assert bench.live.unjudged == 2
    assert "judged.sqlite cannot be used" in (bench.live.problem or "")
    file.unlink()
    assert len(bench.see(served(response="6"))) == 1
    assert bench.live.problem is None


def test_a_day_s_money_is_not_exceeded_and_outlives_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD], location="cloud", trust="cloud", price=DEAR, usd=3.0)
    said = bench.see(*(served(response=str(n)) for n in range(20)))
    assert 0 < len(said) < 20
    spent = bench.purse.spent
    assert 0.0 < spent <= 3.0
    again = Bench(tmp_path, [GOOD], location="cloud", trust="cloud", price=DEAR, usd=3.0)
    assert again.purse.spent == spent
    assert again.see(served(response="again")) == []
    again.clock.now += DAY_S
    assert len(again.see(served(response="tomorrow"))) == 1
    again.clock.now -= DAY_S  # a clock that is set back fills no purse
    assert again.purse.turned() is False


def test_a_share_is_drawn_evenly_and_always_the_same(tmp_path: Path) -> None:
    ids = [mint() for _ in range(4000)]
    drawn = [name for name in ids if is_drawn(name, 0.1)]
    assert 300 < len(drawn) < 500  # six standard deviations
    assert drawn == [name for name in ids if is_drawn(name, 0.1)]
    assert set(drawn) <= {name for name in ids if is_drawn(name, 0.2)}
    assert not any(is_drawn(name, 0.0) for name in ids)
    assert all(is_drawn(name, 1.0) for name in ids)


def test_a_crowd_is_passed_over_and_not_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [GOOD])
    said = bench.see(*(served(response=str(n)) for n in range(MOST_WAITING + 7)))
    assert len(said) == MOST_WAITING
    assert bench.live.passed_over == 7


def test_two_processes_have_one_purse_and_a_kill_gives_nothing_back(tmp_path: Path) -> None:
    candidate = Candidate(id="far", location="cloud", trust="cloud", price=Price(1e6, 0.0))  # $1 a token
    one, two = (DailyPurse(10.0, tmp_path / "judge.json") for _ in range(2))
    assert one.set_aside(candidate, 4, 0) == 4.0
    assert two.set_aside(candidate, 4, 0) == 4.0
    with pytest.raises(BudgetSpent):
        one.set_aside(candidate, 4, 0)
    one.settle(4.0, 1.0)
    assert one.set_aside(candidate, 4, 0) == 4.0
    two.settle(4.0, 4.0)
    assert DailyPurse(10.0, tmp_path / "judge.json").spent == 9.0  # of one, 4 may have been paid at a kill


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"day": 3}'])
def test_a_torn_purse_is_a_full_one(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "judge.json").write_bytes(kept)
    assert DailyPurse(1.0, tmp_path / "judge.json").spent == 0.0
