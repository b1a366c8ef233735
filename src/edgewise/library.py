"""Edgewise inside a program: one class for synchronous and asynchronous code, nothing printed.

with Router("edgewise.toml") as router:
print(router.ask("What is the capital of France?").reply().text)

async with Router("edgewise.toml") as router:
print((await router.ask("What is the capital of France?")).text)
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import msgspec

from edgewise.app import App
from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import EdgewiseError, UpstreamError
from edgewise.gateway.chat_body import chat_of
from edgewise.settings import Settings, discover, load
from edgewise.settings.load import from_tree
from edgewise.upstreams.reading import words_of

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Coroutine,
        Generator,
        Iterator,
        Mapping,
        Sequence,
    )

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import Constraint, Monitor, Policy
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals
    from edgewise.execution import Answer

    Source = Settings | Path | str | Sequence[Mapping[str, Any]]

T = TypeVar("T")
CLOSED = "The router is not open; use it in a `with` or an `async with` block."


class Reply(msgspec.Struct, frozen=True):
    """A whole answer: its text, who gave it and why, and how it went.

    `message` is the assistant's message as OpenAI writes it (tool calls included), `body` the candidate's
    whole answer.
    """

    text: str
    decision: Decision
    outcome: Outcome | None
    message: dict[str, Any]
    body: bytes


class Pending(Generic[T]):
    """Something on its way: `await` it, or take its `result()` in synchronous code."""

    def __init__(self, router: Router, start: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._router, self._start = router, start

    def __await__(self) -> Generator[Any, None, T]:
        return self._router.awaited(self._start()).__await__()

    def result(self) -> T:
        """Wait for it. Raises what went wrong; inside a running event loop, await it instead."""
        return self._router.waited(self._start())


class Ask(Pending[Reply]):
    """A prompt on its way to whoever is chosen.

    `await` it or call `reply()` for the whole answer; iterate over it, plainly or with `async for`, for its
    words as they come. Then `decision` says who answered, and `outcome` how it went.
    """

    def __init__(
        self, router: Router, prompt: str, options: Mapping[str, Any], wishes: Mapping[str, str]
    ) -> None:
        super().__init__(router, self._whole)
        self._prompt, self._options, self._wishes = prompt, dict(options), dict(wishes)
        self.decision: Decision | None = None
        self.outcome: Outcome | None = None

    def reply(self) -> Reply:
        """The whole answer."""
        return self.result()

    def __iter__(self) -> Iterator[str]:
        words = self._words()
        try:
            while (piece := self._router.waited(_next(words))) is not None:
                yield piece
        finally:
            self._router.waited(words.aclose())

    async def __aiter__(self) -> AsyncIterator[str]:
        words = self._words()
        try:
            while (piece := await self._router.awaited(_next(words))) is not None:
                yield piece
        finally:
            await self._router.awaited(_closed(words))

    async def _whole(self) -> Reply:
        request = self._request(stream=False)
        answer = await self._routed(request)
        body = answer.body
        if body is None:
            raise EdgewiseError("The answer came as a stream, which was not asked for.")
        self.decision, self.outcome = answer.decision, self._router.outcome_of(request.id)
        message = _message(body)
        return Reply(str(message.get("content") or ""), answer.decision, self.outcome, message, body)

    async def _words(self) -> AsyncGenerator[str, None]:
        request = self._request(stream=True)
        answer = await self._routed(request)
        self.decision = answer.decision
        pieces = answer.pieces
        if pieces is None:
            yield str(_message(answer.body or b"{}").get("content") or "")
        else:
            try:
                async for piece in pieces:
                    if words := words_of(piece):
                        yield words
            finally:
                await pieces.aclose()
        self.outcome = self._router.outcome_of(request.id)
        if self.outcome is not None and self.outcome.status != "ok":
            raise UpstreamError(self.outcome.error or "The answer broke off.")

    async def _routed(self, request: Request) -> Answer:
        try:
            return await self._router.opened.router.route(request)
        except EdgewiseError:
            self.decision = self._router.decision_of(request.id)
            self.outcome = self._router.outcome_of(request.id)
            raise

    def _request(self, *, stream: bool) -> Request:
        return chat_of(self._prompt, {**self._options, "stream": stream}, self._wishes)


class Router:
    """Decides who answers, asks, records. Needs neither a gateway nor both an edge and a cloud.

    `source` is a configuration: a file, settings, or a list of candidates as `[[candidates]]` has them;
    without one, ./edgewise.toml, or else what this machine has to offer. `policy` takes the place of the
    configured one, `constraints` and `monitors` come on top. `keys` are API keys by candidate, for programs
    that hold them themselves; they are kept in memory only. `observer` sees every record.
    """

    def __init__(  # noqa: PLR0913 - everything but the source is optional
        self,
        source: Source | None = None,
        *,
        policy: Policy | None = None,
        constraints: Sequence[Constraint] = (),
        monitors: Sequence[Monitor] = (),
        keys: Mapping[str, str] | None = None,
        observer: Callable[[Record], None] | None = None,
    ) -> None:
        self._source, self._policy = source, policy
        self._constraints, self._monitors = tuple(constraints), tuple(monitors)
        self._keys, self._observer = dict(keys or {}), observer
        self._decisions: dict[str, Decision] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._app: App | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._foreign: set[asyncio.Task[Any]] = set()  # work for other threads

    @property
    def opened(self) -> App:
        """What is behind it. Raises EdgewiseError before it is opened and after it is closed."""
        if self._app is None:
            raise EdgewiseError(CLOSED)
        return self._app

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Who can answer."""
        return self.opened.candidates

    @property
    def signals(self) -> Signals:
        """The state of the world, by the name of each signal."""
        return self.opened.router.signals()

    def ask(  # noqa: PLR0913 - what a request may wish for
        self,
        prompt: str | Sequence[Mapping[str, Any]],
        *,
        model: str = "auto",
        local: bool = False,
        session: str | None = None,
        objective: str | None = None,
        candidates: Sequence[str] | None = None,
        deadline_s: float | None = None,
        **options: Any,
    ) -> Ask:
        """Ask a prompt, or a conversation of messages.

        `local` keeps it on this machine. `options` are further keys of a chat body (`temperature`,
        `max_tokens`, `tools` …).
        """
        wishes = _wishes(
            privacy="local" if local else None,
            session=session,
            objective=objective,
            candidates=",".join(candidates) if candidates is not None else None,
            deadline=None if deadline_s is None else repr(deadline_s),
        )
        if not isinstance(prompt, str):
            options["messages"] = [dict(message) for message in prompt]
            prompt = ""
        return Ask(self, prompt, {"model": model, **options}, wishes)

    def decide(self, prompt: str, *, model: str = "auto", local: bool = False) -> Pending[Decision]:
        """Who would answer, and why; nobody is asked and nothing is recorded."""
        wishes = _wishes(privacy="local" if local else None)
        return Pending(
            self, lambda: self.opened.router.decide(chat_of(prompt, {"model": model}, wishes), explore=False)
        )

    async def __aenter__(self) -> Self:
        """Open it on the running event loop."""
        await self._open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End what was started, and flush the log."""
        await self._close()

    def __enter__(self) -> Self:
        """Open it on an event loop of its own, in a thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=_run, args=(self._loop,), name="edgewise", daemon=True)
        self._thread.start()
        try:
            self.waited(self._open())
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """End what was started, and flush the log."""
        try:
            self.waited(self._leave())
        finally:
            self._end_loop()

    def waited(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` where the router lives, and wait for it here."""
        if self._loop is None:
            work.close()
            raise EdgewiseError(
                CLOSED if self._app is None else "This router was opened with `async with`: await it instead."
            )
        running = asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop)
        try:
            return running.result()
        except CancelledError:
            raise EdgewiseError("The router was closed before the answer came.") from None
        except BaseException:
            running.cancel()
            raise

    async def awaited(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` where the router lives, and await it here."""
        if self._loop is None or self._loop is asyncio.get_running_loop():
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop))

    def decision_of(self, decision_id: str) -> Decision | None:
        """What was decided for a request that has just failed; once."""
        return self._decisions.pop(decision_id, None)

    def outcome_of(self, decision_id: str) -> Outcome | None:
        """How a request ended that has just been answered; once."""
        return self._outcomes.pop(decision_id, None)

    async def _open(self) -> None:
        app = App(
            await _settings(self._source), observer=self._observe, keys=self._keys, monitors=self._monitors
        )
        await app.__aenter__()
        if self._constraints:
            app.router = replace(app.router, constraints=(*app.router.constraints, *self._constraints))
        if self._policy is not None:
            app.router.adopt("auto", self._policy)
        self._app = app

    async def _close(self) -> None:
        app, self._app = self._app, None
        if app is not None:
            await app.__aexit__(None, None, None)

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        """Work that came from another thread."""
        task: Any = asyncio.current_task()
        self._foreign.add(task)
        try:
            return await work
        finally:
            self._foreign.discard(task)

    async def _leave(self) -> None:
        """Break off what other threads still wait for, or they would wait for ever, and close."""
        waiting = self._foreign - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._close()

    def _end_loop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()

    def _observe(self, record: Record) -> None:
        if isinstance(record, Decision):
            _kept(self._decisions, record.id, record)
        elif isinstance(record, Outcome):
            _kept(self._outcomes, record.decision_id, record)
        if self._observer is not None:
            self._observer(record)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, let what is left hang up, and close it."""
    try:
        loop.run_forever()
        loop.run_until_complete(_all_ended())
    finally:
        loop.close()


async def _all_ended() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


MOST_KEPT = 1_000


def _kept(records: dict[str, T], name: str, record: T) -> None:
    """Keep a record for whoever asked, and not for ever: some answers are never read to the end."""
    records[name] = record
    while len(records) > MOST_KEPT:
        records.pop(next(iter(records)))


async def _settings(source: Source | None) -> Settings:
    if isinstance(source, Settings):
        return source
    if source is None or isinstance(source, (str, Path)):
        settings = load(None if source is None else Path(source))
    else:
        settings = from_tree({"candidates": [dict(one) for one in source]}, source="candidates")
    return settings if settings.candidates else (await discover(settings)).settings


def _wishes(**wishes: str | None) -> dict[str, str]:
    return {name: value for name, value in wishes.items() if value is not None}


class _Choice(msgspec.Struct):
    message: dict[str, Any] = {}


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []


def _message(body: bytes) -> dict[str, Any]:
    choices = msgspec.json.decode(body, type=_Answer).choices
    return choices[0].message if choices else {}


async def _next(words: AsyncGenerator[str, None]) -> str | None:
    return await anext(words, None)


async def _closed(words: AsyncGenerator[str, None]) -> None:
    await words.aclose()
