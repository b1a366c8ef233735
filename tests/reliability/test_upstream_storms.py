"""The fault matrix, upstream: what takes many requests to see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random

import pytest
from tests.reliability.rig import LIMITS, UNHURRIED, Rig, Told, http
from tests.reliability.upstream_rows import ERROR, answering, in_half_a_minute, limited, network, refuses

from edgewise.domain.decisions import Decision, Outcome
from edgewise.upstreams.chaos import Faults

STORM = 60
AT_ONCE = 6
FAULTS = Faults(loss=0.3, jitter_s=0.002, garbage=0.0005)


def through(rig: Rig, inject: Callable[[Rig], Awaitable[None]], use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with rig.running(inject), asyncio.timeout(60):
            await use()

    asyncio.run(main())


async def answered_until(rig: Rig, wanted: str) -> set[str]:
    """Ask until this is seen; what was seen before."""
    seen = set[str]()
    while (told := str(await rig.ask("auto", streamed=False))) != wanted:
        seen.add(told)
        await asyncio.sleep(0.05)
    return seen


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(tmp_path, monkeypatch, limits=UNHURRIED)


def test_a_storm_of_500s(rig: Rig) -> None:
    """A storm of 500s.

    Injected: 60 requests, six at a time, while one of two endpoints answers each with HTTP 500.
    Client: every one is answered by the other; the sick endpoint answers again soon after the storm.
    Log: one outcome each, `ok`; the sick endpoint saw at most a third of the load, both together at most
      1.2 times it.
    """

    async def use() -> None:
        for _ in range(STORM // AT_ONCE):
            told = await asyncio.gather(*(rig.ask("auto", streamed=n % 2 == 0) for n in range(AT_ONCE)))
            assert {str(one) for one in told} == {"200 from well"}
            assert all(rig.held(one).startswith("ok (") for one in told)
        assert rig.sick.calls <= STORM / 3
        assert rig.sick.calls + rig.healthy.calls <= 1.2 * STORM
        rig.heal()
        assert await answered_until(rig, "200 from sick") <= {"200 from well"}

    through(rig, answering(http(ERROR, status="500 Internal Server Error")), use)


def test_both_endpoints_down(rig: Rig) -> None:
    """Both endpoints down.

    Injected: nobody listens at the one, and the other answers HTTP 500.
    Client: a typed error each time, and an answer as soon as one is back.
    Log: one outcome each, `error`.
    """

    async def use() -> None:
        rig.healthy.answer = lambda _: [http(ERROR, status="500 Internal Server Error")]
        for number in range(20):
            told = await rig.ask("auto", streamed=number % 2 == 0)
            assert told.status in (502, 503)
            assert told.error is not None
            assert rig.held(told).startswith("error (")
        rig.healthy.answer = rig.sick.answer
        assert "200 from sick" not in await answered_until(rig, "200 from well")

    through(rig, refuses, use)


@pytest.mark.parametrize("said", ["30", in_half_a_minute], ids=["seconds", "date"])
def test_a_retry_after_that_makes_sense(said: str | Callable[[], str], rig: Rig) -> None:
    """A retry after that makes sense.

    Injected: HTTP 429 with half a minute to wait, as seconds or as a date.
    Client: who pinned the endpoint gets the 429 with its `Retry-After`; all others are answered by the
      other endpoint.
    Log: the endpoint is not asked before its time.
    """

    async def use() -> None:
        told = await rig.ask("sick", streamed=False)
        given = told.headers["retry-after"]
        assert given == "30" if said == "30" else parsedate_to_datetime(given) > datetime.now(UTC)
        assert str(await rig.ask("auto", streamed=False)) == "200 from well"
        assert str(await rig.ask("auto", streamed=True)) == "200 from well"
        assert rig.sick.calls == 1

    through(rig, limited(said), use)


@pytest.mark.parametrize("said", ["99999999999", "-5", "soon", "1e400", "nan"])
def test_an_absurd_retry_after(said: str, rig: Rig) -> None:
    """An absurd retry after.

    Injected: HTTP 429 with a `Retry-After` of a thousand years, below 0 or of words.
    Client: who pinned the endpoint gets the 429 without that; all others are answered by the other one.
    Log: nobody waits for it, and the endpoint is asked again a little later.
    """

    async def use() -> None:
        told = await rig.ask("sick", streamed=False)
        assert (told.status, "retry-after" in told.headers) == (429, False)
        assert str(await rig.ask("auto", streamed=False)) == "200 from well"
        rig.heal()
        assert await answered_until(rig, "200 from sick") <= {"200 from well"}

    through(rig, limited(said), use)


def test_a_bad_network_for_a_while(rig: Rig) -> None:
    """A bad network for a while.

    Injected: 120 requests, eight at a time, whole and streamed, pinned and not, a tenth of them given up,
      while three in ten connections are reset and one byte in 2,000 is another.
    Client: an answer or a typed error.
    Log: exactly one outcome each.
    """
    rig.limits = LIMITS.replace("retries = 0", "retries = 1")
    dice = Random(11)

    async def one(number: int) -> Told | None:
        model = "sick" if number % 3 == 0 else "auto"
        asking = asyncio.create_task(rig.ask(model, streamed=number % 2 == 0))
        if number % 10 == 9:
            await asyncio.sleep(dice.uniform(0.0, 0.02))
            asking.cancel()
        with suppress(asyncio.CancelledError):
            return await asking
        return None

    async def use() -> None:
        for begin in range(0, 120, 8):
            for told in await asyncio.gather(*(one(n) for n in range(begin, begin + 8))):
                if told is not None:
                    assert (told.status == 200) or (told.status in (502, 503, 504) and told.error)
                    rig.held(told)
        decided = {r.id for r in rig.records if isinstance(r, Decision)}
        ended = Counter(r.decision_id for r in rig.records if isinstance(r, Outcome))
        assert set(ended) == decided
        assert set(ended.values()) == {1}
        calls = sum(len(r.attempts) for r in rig.records if isinstance(r, Outcome))
        assert calls > len(decided)

    through(rig, network(FAULTS), use)
