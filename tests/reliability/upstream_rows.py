"""What can go wrong with an endpoint, row by row: what is injected, what the client sees, what the log holds.

The tests hold the gateway to every row, and docs/reliability.md is made of them.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import trustme
from tests.reliability.rig import EVENTS, PLAIN, Rig, http, stream, well

from edgewise.upstreams.chaos import Faults

FAILS = ("502 `upstream_error`", "error (sick error), no cost estimated")
LATE = ("504 `upstream_timeout`", "error (sick error), no cost estimated")
OTHER = ("200 from well", "ok (sick error, well ok), cost billed")
FINE = ("200 from sick", "ok (sick ok), cost billed")
BROKEN = (
    "200 from sick, then the error event `incomplete_stream`",
    "incomplete (sick incomplete), cost estimated",
)
GUESSED = ("200 from sick", "ok (sick ok), cost estimated")
BOTH = ("whole", "streamed")
Seen = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One fault.

    `pinned` and `free` are what client and log see of a request that only `sick` may answer, and of one that
    another may; `heals` says that the fault can be taken away, `hurried` that it is one of time, so that the
    limits are short.
    """

    name: str
    injected: str
    inject: Callable[[Rig], Awaitable[None]]
    pinned: Seen = FAILS
    free: Seen = OTHER
    kinds: tuple[str, ...] = BOTH
    heals: bool = True
    hurried: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def answering(
    plain: bytes | None = None, events: list[bytes] | None = None
) -> Callable[[Rig], Awaitable[None]]:
    """The endpoint answers with these HTTP bytes; one without a stream of its own answers both alike."""

    async def inject(rig: Rig) -> None:
        whole = plain if plain is not None else http(PLAIN)
        rig.sick.answer = lambda streamed: events if streamed and events is not None else [whole]

    return inject


def network(faults: Faults) -> Callable[[Rig], Awaitable[None]]:
    """The network between has these faults."""

    async def inject(rig: Rig) -> None:
        rig.chaos.faults = faults

    return inject


async def refuses(rig: Rig) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rig.address = f"127.0.0.1:{port}"


async def takes_and_keeps(rig: Rig) -> None:
    """Bytes come to the endpoint, and nothing back: there is no connection over which to ask."""
    rig.scheme, rig.chaos.faults = "https", Faults(cut_after=0, ending="silence")


def in_half_a_minute() -> str:
    """An HTTP date."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)


def limited(retry_after: str | Callable[[], str]) -> Callable[[Rig], Awaitable[None]]:
    """The endpoint has had enough, and says for how long."""
    said = {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "slow"}
    body = json.dumps({"error": said}).encode()

    async def inject(rig: Rig) -> None:
        wait = retry_after if isinstance(retry_after, str) else retry_after()
        await answering(http(body, status="429 Too Many Requests", more=f"retry-after: {wait}\r\n"))(rig)

    return inject


async def no_end(streamed: bool) -> AsyncIterator[bytes]:
    """Words, or a body, for ever."""
    for piece in stream(EVENTS[:2], end=False):
        yield piece
    for _ in itertools.count():
        yield b"%x\r\n%b\r\n" % (len(EVENTS[1]), EVENTS[1])


async def endless(rig: Rig) -> None:
    rig.sick.answer = no_end


async def huge(rig: Rig) -> None:
    long = json.dumps({"choices": [{"message": {"content": "x" * 1_000_000}}]}).encode()
    await answering(http(long), stream([b"data: " + long + b"\n\n"]))(rig)


async def no_line(rig: Rig) -> None:
    rig.sick.answer = lambda _: stream([b"data: " + b"x" * 1000] * 1000)


async def ends_quietly(rig: Rig) -> None:
    rig.sick.keep = False
    await answering(events=stream(EVENTS[:3], end=True))(rig)


async def breaks_early(rig: Rig) -> None:
    rig.sick.keep = False
    await answering(events=stream(EVENTS[:1], end=False))(rig)


async def resets_mid_words(rig: Rig) -> None:
    rig.sick.answer = lambda _: stream(EVENTS)
    rig.chaos.faults = Faults(cut_after=sum(map(len, stream(EVENTS[:2], end=False))) + 20)


async def resets_mid_body(rig: Rig) -> None:
    rig.chaos.faults = Faults(cut_after=len(http(PLAIN)) - 30)


def trusting(
    issue: Callable[[trustme.CA], trustme.LeafCert], *, trusted: bool = True
) -> Callable[[Rig], Awaitable[None]]:
    """The endpoint speaks TLS with a certificate like this one."""

    async def inject(rig: Rig) -> None:
        authority = trustme.CA()
        rig.sick.tls, mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        issue(authority).configure_cert(rig.sick.tls)
        if trusted:
            authority.configure_trust(mine)
        rig.patch.setattr("edgewise.upstreams.transports.http1._tls", lambda: mine)
        rig.scheme = "https"

    return inject


def expired(authority: trustme.CA) -> trustme.LeafCert:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    return authority.issue_cert("127.0.0.1", not_before=past, not_after=past + timedelta(days=1))


def names(*answers: str | None) -> Callable[[Rig], Awaitable[None]]:
    """A name server that answers a name with these in turn, the last one for ever; None is that it fails."""

    async def inject(rig: Rig) -> None:
        rig.host = "sick.test"
        real, given = socket.getaddrinfo, list(answers)

        def asked(host: str, *rest: Any, **more: Any) -> Any:
            if host != rig.host:
                return real(host, *rest, **more)
            answer = given.pop(0) if len(given) > 1 else given[0]
            if answer is None:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return real(answer, *rest, **more)

        rig.patch.setattr(socket, "getaddrinfo", asked)

    return inject


def usage(said: Any) -> Callable[[Rig], Awaitable[None]]:
    """The usage report says this; `...` leaves it out."""

    def telling(fields: dict[str, Any]) -> dict[str, Any]:
        rest = {key: value for key, value in fields.items() if key != "usage"}
        return rest if said is ... else {**rest, "usage": said}

    changed = [b"data: " + json.dumps(telling(json.loads(e[6:]))).encode() + b"\n\n" for e in EVENTS[:4]]
    return answering(http(json.dumps(telling(json.loads(PLAIN))).encode()), stream([*changed, EVENTS[-1]]))


async def dies_in_between(rig: Rig) -> None:
    """The first call is answered; the connection is closed on whatever comes second."""
    asked = itertools.count()

    async def once(streamed: bool) -> AsyncIterator[bytes]:
        if next(asked) == 1:
            rig.sick.keep = False
            return
        rig.sick.keep = True
        for piece in well(streamed):
            assert isinstance(piece, bytes)
            yield piece

    rig.sick.answer = once
    rig.warm_up = True


async def closed_in_between(rig: Rig) -> None:
    """The first call is answered, and the connection reset while nobody asks anything."""
    rig.warm_up = rig.hang_up = True


SAID = {"error": {"message": "it broke", "type": "server_error", "param": None, "code": None}}
ERROR = json.dumps(SAID).encode()
LIMITED = ("429 `slow`", "error (sick error), no cost estimated")
HTML = b"<!doctype html>\n\n<title>Sign in</title>\n\n"
NORMAL_S = 0.02

ROWS = (
    Row("refuses", "nobody listens at the endpoint's port", refuses, heals=False),
    Row("resets before the first byte", "the connection is reset once the request is in",
        network(Faults(cut_after=0))),
    Row("resets before the first byte: half-closed", "the endpoint closes its direction without a word",
        network(Faults(cut_after=0, ending="half-close"))),
    Row("resets mid-stream: after the first words", "a stream is reset in the middle of its second event",
        resets_mid_words, pinned=BROKEN, free=BROKEN, kinds=("streamed",)),
    Row("resets mid-stream: before the first words", "a stream is closed after the event that names the role",
        breaks_early, kinds=("streamed",)),
    Row("resets mid-stream: a whole answer", "the connection is reset 30 bytes before the end of the body",
        resets_mid_body, kinds=("whole",)),
    Row("trickles one byte a second", "every byte of the answer takes a second",
        network(Faults(bytes_per_s=1.0)), pinned=LATE, free=OTHER, hurried=True),
    Row("silence", "the endpoint takes the request and never answers",
        network(Faults(cut_after=0, ending="silence")), pinned=LATE, hurried=True),
    Row("silence: no connection", "TLS is spoken with an endpoint that takes the connection and says nothing",
        takes_and_keeps, pinned=LATE, heals=False, hurried=True),
    Row("429 with Retry-After as seconds", "HTTP 429, `Retry-After: 30`", limited("30"), pinned=LIMITED),
    Row("429 with Retry-After as a date", "HTTP 429, `Retry-After` as an HTTP date half a minute from now",
        limited(in_half_a_minute), pinned=LIMITED),
    Row("429 with an absurd Retry-After: too long", "HTTP 429, `Retry-After: 99999999999`",
        limited("99999999999"), pinned=LIMITED),
    Row("429 with an absurd Retry-After: negative", "HTTP 429, `Retry-After: -5`", limited("-5"),
        pinned=LIMITED),
    Row("429 with an absurd Retry-After: no number", "HTTP 429, `Retry-After: soon`", limited("soon"),
        pinned=LIMITED),
    Row("a 500", "HTTP 500 with an error in OpenAI's shape",
        answering(http(ERROR, status="500 Internal Server Error"))),
    Row("malformed JSON", "a 200 whose JSON, or whose first event, breaks off",
        answering(http(PLAIN[:80]), stream([EVENTS[0], EVENTS[1][:60] + b"\n\n", EVENTS[-1]]))),
    Row("malformed JSON: bytes at random", "every fifth byte of the answer is another one",
        network(Faults(garbage=0.2))),
    Row("malformed JSON: after the first words", "the third event of a stream breaks off",
        answering(events=stream([*EVENTS[:2], b'data: {"usage"\n\n', EVENTS[-1]])),
        pinned=BROKEN, free=BROKEN, kinds=("streamed",)),
    Row("SSE cut before [DONE]",
        "a stream ends well-formed after its words, without finish reason and [DONE]",
        ends_quietly, pinned=BROKEN, free=BROKEN, kinds=("streamed",)),
    Row("an endless stream", "words without an end, as fast as they are read", endless,
        pinned=BROKEN, free=BROKEN, kinds=("streamed",)),
    Row("an endless body", "chunks without an end", endless, kinds=("whole",)),
    Row("a huge body", "one body, or one event, of 1 MB where `max_answer_bytes` is 200,000", huge),
    Row("an endless stream: one event",
        "1 MB of one event without a blank line, where 200,000 bytes are the limit",
        no_line, kinds=("streamed",)),
    Row("the wrong content type: a web page", "a 200 with HTML, as a captive portal sends",
        answering(http(HTML, kind="text/html"), [http(HTML, kind="text/html")])),
    Row("the wrong content type: JSON for a stream", "a stream is asked for, and plain JSON comes",
        answering(http(PLAIN), [http(PLAIN)]), pinned=FINE, free=FINE, kinds=("streamed",)),
    Row("the wrong content type: only the label", "the right bytes, labelled `text/plain`",
        answering(http(PLAIN, kind="text/plain"), stream(EVENTS, kind="text/plain")), pinned=FINE, free=FINE),
    Row("an error inside a 200", "a 200 whose body, or first event, is an error",
        answering(http(ERROR), stream([b"data: " + ERROR + b"\n\n", EVENTS[-1]]))),
    Row("an error inside a 200: after the first words", "an error event in the middle of a stream",
        answering(events=stream([*EVENTS[:2], b"data: " + ERROR + b"\n\n", EVENTS[-1]])),
        pinned=BROKEN, free=BROKEN, kinds=("streamed",)),
    Row("a TLS certificate that has expired", "a certificate of a trusted authority, from 2020",
        trusting(expired), heals=False),
    Row("a TLS certificate for another name", "a trusted certificate for `other.example`",
        trusting(lambda ca: ca.issue_cert("other.example")), heals=False),
    Row("a TLS certificate of nobody known", "a certificate of an authority that is not trusted",
        trusting(lambda ca: ca.issue_cert("127.0.0.1"), trusted=False), heals=False),
    Row("DNS failure", "the endpoint's name does not resolve", names(None), heals=False),
    Row("DNS flapping", "the name does not resolve once, and does from then on", names(None, "127.0.0.1")),
    Row("tenfold latency: within the deadline", "every piece comes 0.2 s late instead of 0.02 s",
        network(Faults(delay_s=10 * NORMAL_S)), pinned=FINE, free=FINE),
    Row("tenfold latency: beyond the deadline",
        "every piece comes 0.2 s late, and the client waits for 0.1 s",
        network(Faults(delay_s=10 * NORMAL_S)), pinned=LATE, free=LATE,
        headers=(("x-edgewise-deadline", "0.1"),)),
    Row("usage absent", "the answer has no usage report", usage(...), pinned=GUESSED, free=GUESSED),
    Row("usage lying: negative", "the usage report counts -5 tokens",
        usage({"prompt_tokens": -5, "completion_tokens": -5}), pinned=GUESSED, free=GUESSED),
    Row("usage lying: absurd", "the usage report counts 10^18 tokens",
        usage({"prompt_tokens": 10**18, "completion_tokens": 10**18}), pinned=GUESSED, free=GUESSED),
    Row("usage lying: no numbers", "the usage report holds words", usage({"prompt_tokens": "many"}),
        pinned=GUESSED, free=GUESSED),
    Row("usage lying: words for nothing", "the usage report counts 0 tokens for an answer with words",
        usage({"prompt_tokens": 0, "completion_tokens": 0}), pinned=GUESSED, free=GUESSED),
    Row("dies between two requests: unseen", "the kept-alive connection is closed on the second request",
        dies_in_between, pinned=FINE, free=FINE),
    Row("dies between two requests: seen", "the kept-alive connection is reset while it is idle",
        closed_in_between, pinned=FINE, free=FINE),
)  # fmt: skip
