"""What a session promised holds for each of its requests, in every process, and after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Coroutine
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.outcomes.sample import decision, outcome
from tests.sessions.made import prompt

from edgewise.domain.errors import StoreError
from edgewise.domain.requests import Finding, Request
from edgewise.sessions import SessionScreen, SessionStore


def opened(path: Path, most: int = 100) -> SessionScreen:
    return SessionScreen(SessionStore(path), most=most)


async def privacy(screen: SessionScreen, request: Request) -> str | None:
    return (await screen.screen(request)).wishes.privacy


def answers(screen: SessionScreen, session: str, candidate: str, status: str = "ok") -> None:
    made = decision(session=session, chosen=candidate)
    screen.observe(made)
    screen.observe(outcome(made, status=status))


def run(main: Coroutine[None, None, None]) -> None:
    asyncio.run(main)


def test_once_local_always_local_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def before() -> None:
        screen = opened(path)
        assert await privacy(screen, prompt("a", "one")) is None
        assert await privacy(screen, prompt("b", "one", privacy="local")) == "local"
        assert await privacy(screen, prompt("c", "one")) == "local"
        assert await privacy(screen, prompt("c", "two")) is None
        assert await privacy(screen, prompt("c")) is None
        # No close: the process may die at any time after the request went on.

    async def restarted() -> None:
        screen = opened(path)
        assert await privacy(screen, prompt("d", "one")) == "local"
        assert await privacy(screen, prompt("d", "two")) is None
        await screen.aclose()

    run(before())
    run(restarted())


def test_what_was_found_is_as_sticky_as_what_was_declared(tmp_path: Path) -> None:
    async def main() -> None:
        screen = opened(tmp_path / "s.sqlite")
        found = replace(prompt("my card", "one"), findings=(Finding("card", 0, 4),))
        assert await privacy(screen, found) == "local"
        assert await privacy(screen, prompt("hi", "one")) == "local"
        masked = replace(prompt("my card", "two"), findings=(Finding("card", 0, 4, "redact"),))
        assert await privacy(screen, masked) is None
        await screen.aclose()

    run(main())


def test_regions_add_up(tmp_path: Path) -> None:
    async def main() -> None:
        screen = opened(tmp_path / "s.sqlite")
        assert await privacy(screen, prompt("a", "one", privacy="region:eu")) == "region:eu"
        assert await privacy(screen, prompt("a", "one", privacy="region:de")) == "region:de,region:eu"
        assert await privacy(screen, prompt("a", "one")) == "region:de,region:eu"
        assert await privacy(screen, prompt("a", "one", privacy="local")) == "local"
        assert await privacy(screen, prompt("a", "one", privacy="region:eu")) == "local"
        await screen.aclose()

    run(main())


def test_another_process_is_heard_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        here, there = opened(tmp_path / "s.sqlite"), opened(tmp_path / "s.sqlite")
        assert await privacy(here, prompt("a", "one")) is None
        assert await privacy(here, prompt("a", "one")) is None
        assert await privacy(there, prompt("b", "one", privacy="local")) == "local"
        assert await privacy(here, prompt("c", "one")) == "local"
        kept = SessionStore(tmp_path / "s.sqlite")
        made = kept.create("chat")
        assert await privacy(here, prompt("c", made.id)) is None
        kept.make_local(made.id)
        assert await privacy(here, prompt("c", made.id)) == "local"
        await here.aclose()
        await there.aclose()

    run(main())


def test_requests_at_once_all_keep_the_promise(tmp_path: Path) -> None:
    async def main() -> None:
        screen = opened(tmp_path / "s.sqlite", most=2)
        first = asyncio.create_task(privacy(screen, prompt("a", "one")))
        await asyncio.sleep(0)
        await privacy(screen, prompt("b", "one", privacy="local"))
        others = [privacy(screen, prompt("c", name)) for name in ("x", "y", "z", "one", "one")]
        said = await asyncio.gather(first, *others)
        assert said[4:] == ["local", "local"]
        await screen.aclose()

    run(main())


def test_memory_is_bounded_and_nothing_is_lost(tmp_path: Path) -> None:
    async def main() -> None:
        screen = opened(tmp_path / "s.sqlite", most=3)
        for n in range(10):
            await screen.screen(prompt("a", f"s{n}", privacy="local" if n % 2 else None))
        assert len(screen._marks) <= 3
        assert [await privacy(screen, prompt("a", f"s{n}")) for n in range(10)] == [None, "local"] * 5
        for n in range(10):
            screen.observe(decision(session=f"s{n}"))
        assert len(screen._pending) <= 3
        await screen.aclose()

    run(main())


def test_the_last_candidate_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def before() -> None:
        screen = opened(path)
        assert (await screen.screen(prompt("a", "one"))).previous is None
        answers(screen, "one", "tiny")
        assert (await screen.screen(prompt("a", "one"))).previous == "tiny"
        answers(screen, "one", "giant")
        answers(screen, "one", "tiny", "error")  # another's failure
        assert (await screen.screen(prompt("a", "one"))).previous == "giant"
        answers(screen, "two", "tiny", "incomplete")  # not seen by the screen before
        assert (await screen.screen(prompt("a", "two"))).previous == "tiny"
        assert (await screen.screen(prompt("a"))).previous is None
        answers(screen, "three", "tiny")
        answers(screen, "three", "", "error")  # nobody was eligible
        assert (await screen.screen(prompt("a", "three"))).previous == "tiny"
        await screen.aclose()

    async def restarted() -> None:
        screen = opened(path)
        assert (await screen.screen(prompt("a", "one"))).previous == "giant"
        answers(screen, "one", "giant", "error")
        assert (await screen.screen(prompt("a", "one"))).previous is None
        await screen.aclose()

    run(before())
    run(restarted())


def test_a_file_that_cannot_be_read_means_local(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is no database" * 100)

    async def main() -> None:
        screen = opened(path)
        assert await privacy(screen, prompt("a", "one")) == "local"
        assert await privacy(screen, prompt("a")) is None
        with pytest.raises(StoreError):  # what cannot be promised for good must not be promised
            await screen.screen(prompt("a", "one", privacy="local"))
        await screen.aclose()

    run(main())
    assert "held to be local" in caplog.text


def test_a_promise_that_cannot_be_written_fails_the_request(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def main() -> None:
        screen = opened(path)
        assert await privacy(screen, prompt("a", "one")) is None
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("DROP TABLE epoch")
        connection.close()
        with pytest.raises(StoreError):
            await screen.screen(prompt("a", "one", privacy="local"))
        await screen.aclose()

    run(main())


Step = tuple[str, str, str | None]
steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "elsewhere", "restart", "delete", "copy", "answered"]),
        st.sampled_from(["one", "two"]),
        st.sampled_from([None, None, "local", "region:eu"]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)  # each example waits for the disk
@given(steps)
def test_no_sequence_of_moves_takes_a_promise_back(moves: list[Step]) -> None:
    async def main(path: Path) -> None:
        here, other = opened(path, most=1), opened(path)
        promised: dict[str, bool] = {}
        for kind, session, said in moves:
            if kind in {"ask", "elsewhere"}:
                request = prompt("x", session, **({"privacy": said} if said else {}))
                got = await privacy(here if kind == "ask" else other, request)
                promised[session] = promised.get(session, False) or said == "local"
                assert not promised[session] or got == "local"
                assert said is None or got is not None
            elif kind == "restart":
                await here.aclose()
                here = opened(path, most=1)
            elif kind == "answered":
                answers(here, session, "cloud")
            else:
                moved(SessionStore(path), session, kind, promised)
        await here.aclose()
        await other.aclose()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder) / "s.sqlite"))


def moved(store: SessionStore, session: str, kind: str, promised: dict[str, bool]) -> None:
    """Conversations come, are copied and go; a copy is as local as its original."""
    if not any(kept.id == session for kept in store.latest()):
        made = store.create("new")
        store.put(replace(store.show(made.id), id=session))
    assert store.show(session).local == promised.get(session, False)
    if kind == "copy":
        assert store.copy(session).local == promised.get(session, False)
    else:
        store.delete(session)
    store.close()
