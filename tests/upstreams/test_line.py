"""A line in front of a candidate: bounded, in order of priority, and never a place lost."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.domain.errors import Overloaded
from edgewise.domain.requests import Priority
from edgewise.upstreams.congestion import Congestion
from edgewise.upstreams.line import Bounds, Line

LOW_TO_HIGH: tuple[Priority, ...] = ("low", "normal", "high")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def line(slots: int = 1, waiting: float = 4.0, *, most_s: float = 30.0) -> Line:
    return Line("phi", Bounds(slots, slots, adaptive=False, waiting=waiting, max_wait_s=most_s))


def test_higher_priorities_go_first() -> None:
    async def scene() -> list[str]:
        queue, order = line(waiting=8.0), list[str]()

        async def one(priority: Priority, name: str) -> None:
            began = await queue.enter(priority)
            order.append(name)
            await asyncio.sleep(0)
            queue.leave(began)

        began = await queue.enter("normal")
        tasks = [
            asyncio.create_task(one(priority, f"{priority} {number}"))
            for number in (1, 2)
            for priority in LOW_TO_HIGH
        ]
        await settle()
        queue.leave(began)
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(scene()) == ["high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"]


def test_a_full_line_turns_away_the_last_of_a_lower_priority_first() -> None:
    async def scene() -> None:
        queue = line(waiting=2.0)
        await queue.enter("normal")
        low = asyncio.create_task(queue.enter("low"))
        normal = asyncio.create_task(queue.enter("normal"))
        await settle()
        assert queue.is_full
        with pytest.raises(Overloaded, match="phi was not asked: 1 calls are under way and 2 wait") as caught:
            await queue.enter("low")
        assert caught.value.retry_after_s == 3.0  # nothing is known yet: a second each
        high = asyncio.create_task(queue.enter("high"))
        await settle()
        assert isinstance(low.exception(), Overloaded)
        assert (queue.waiting, normal.done(), high.done()) == (2, False, False)
        with pytest.raises(Overloaded):
            await queue.enter("normal")  # nobody lower is left
        for task in (normal, high):
            task.cancel()

    asyncio.run(scene())


def test_nobody_waits_longer_than_allowed_or_than_it_makes_sense() -> None:
    async def scene() -> None:
        queue = line(waiting=4.0, most_s=0.01)
        await queue.enter("normal")
        with pytest.raises(Overloaded):
            await queue.enter("high")
        assert (queue.in_flight, queue.waiting) == (1, 0)
        patient = line(waiting=4.0)
        await patient.enter("normal")
        behind = asyncio.create_task(patient.enter("normal"))
        await settle()
        with pytest.raises(Overloaded):  # it would take a second, and the caller waits for less
            await patient.enter("normal", 0.5)
        behind.cancel()

    asyncio.run(scene())


def test_whether_it_is_full_is_told_once_each_time() -> None:
    async def scene() -> list[bool]:
        told = list[bool]()
        queue = Line("phi", Bounds(1, 1, adaptive=False, waiting=0.0), tell=told.append)
        for _ in range(2):
            began = await queue.enter("normal")
            with pytest.raises(Overloaded):
                await queue.enter("high")
            queue.leave(began)
        return told

    assert asyncio.run(scene()) == [True, False, True, False]


STEP = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(["high", "normal", "low"])),
    st.tuples(st.just("leave"), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
)


@settings(max_examples=100)
@given(st.integers(1, 3), st.sampled_from([0.0, 1.0, 3.0]), st.lists(STEP, max_size=40))
def test_no_place_is_ever_lost_or_given_twice(  # noqa: C901 - three things happen, in any order
    slots: int, waiting: float, steps: list[tuple[str, Priority | int]]
) -> None:
    async def scene() -> None:
        queue = line(slots, waiting)
        tasks = list[asyncio.Task[float]]()
        inside = list[float]()
        for what, which in steps:
            if what == "enter":
                tasks.append(asyncio.create_task(queue.enter(cast("Priority", which))))
            elif what == "leave" and inside:
                queue.leave(inside.pop())
            elif what == "cancel" and tasks:
                tasks[int(which) % len(tasks)].cancel()
            if which != 7:  # sometimes two things happen before anybody runs
                await settle()
            for task in [task for task in tasks if task.done()]:
                tasks.remove(task)
                if not task.cancelled() and task.exception() is None:
                    inside.append(task.result())
            assert queue.in_flight <= slots
            assert queue.waiting <= queue.room
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        inside += [one for one in done if isinstance(one, float)]
        while inside:
            queue.leave(inside.pop())
        assert (queue.in_flight, queue.waiting) == (0, 0)

    asyncio.run(scene())


def test_who_gives_up_as_a_call_ends_is_gone_once() -> None:
    async def scene() -> None:
        queue = line(slots=1)
        began = await queue.enter("normal")
        waiting = asyncio.create_task(queue.enter("normal"))
        await settle()
        assert queue.waiting == 1
        waiting.cancel()
        queue.leave(began)  # before the one who gave up has heard of it
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (queue.in_flight, queue.waiting) == (0, 0)

    asyncio.run(scene())


def _settled(capacity: int, offered: int, calls: int = 4000) -> Congestion:
    """An endpoint that answers `capacity` calls at once in 1 s each, and shares itself among more."""
    congestion, now = Congestion(128, most=1024), 0.0
    for number in range(calls):
        in_flight = min(congestion.limit, capacity if number < 60 else offered)  # first a quiet hour
        took = max(1.0, in_flight / capacity)
        now += took / in_flight
        congestion.took(took, in_flight, now)
    return congestion


@pytest.mark.parametrize("capacity", [4, 16, 64])
def test_the_limit_finds_what_the_endpoint_can_do(capacity: int) -> None:
    limit = _settled(capacity, offered=3 * 128).limit
    assert capacity <= limit <= 2 * capacity + 1


def test_an_endpoint_that_stays_quick_is_given_more() -> None:
    assert _settled(10_000, offered=10_000).limit > 150


def test_its_own_refusal_lowers_the_limit_at_once() -> None:
    congestion = Congestion(128, most=1024)
    congestion.refused(10)
    assert congestion.limit == 8
    for _ in range(50):
        congestion.refused(1)
    assert congestion.limit == 1
