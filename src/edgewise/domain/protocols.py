"""The verbs. One small protocol per seam; most have one method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Iterable

    from edgewise.domain.candidates import Candidate, Objection
    from edgewise.domain.decisions import Odds, Record
    from edgewise.domain.requests import Features, Request, Situation
    from edgewise.domain.signals import Reading, Signals


class Screen(Protocol):
    """Looks at a request before anything else does and gives it back: as it was, or held to stricter rules.

    It may add findings, a privacy of `local` or what a session remembers, and never takes any of it away.
    May raise `RequestError`.
    """

    async def screen(self, request: Request) -> Request: ...


class Featurizer(Protocol):
    """Says what a policy may know about a request. May wait for a remote endpoint."""

    async def describe(self, request: Request) -> Features: ...


class Constraint(Protocol):
    """A rule that no policy can override. Pure: what it needs to know comes in as arguments."""

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None: ...


class Monitor(Protocol):
    """Reads a part of the world. Called in a background thread, some times a minute; it may block briefly.

    What it cannot read it leaves out or gives without a value: absent means unknown. An exception means
    that all of it is unknown until the next call.
    """

    def read(self) -> Iterable[Reading]: ...


class Policy(Protocol):
    """A distribution over the shortlist. Pure: no clock, no network, no dice."""

    @property
    def name(self) -> str: ...

    def odds(self, situation: Situation) -> Odds: ...


class Upstream(Protocol):
    """Asks one candidate.

    `ask` gives back OpenAI's bytes: plain JSON whole, or, once the reply has begun, a stream's events in
    pieces. It raises `UpstreamError`, and so may the generator; closing that early (`aclose`) cancels the
    call at the upstream.
    """

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]: ...

    async def aclose(self) -> None: ...


class OutcomeLog(Protocol):
    """Append-only. What `append` gives back resolves once every record of the call is on disk."""

    def append(self, *records: Record) -> Awaitable[None]: ...
