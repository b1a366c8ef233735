"""A chat in this process: what was said so far, who may go on, and what is kept of it."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import RequestError
from edgewise.domain.privacy import LOCAL
from edgewise.domain.stories import Story
from edgewise.gateway.chat_body import parse_chat
from edgewise.sessions.records import LONGEST_TITLE, Message, Session, new_id
from edgewise.upstreams.reading import words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.app import App
    from edgewise.domain.decisions import Record
    from edgewise.domain.requests import Request
    from edgewise.sessions import SessionStore

TEMPERATURE = 0.2  # small models ramble at their own default
TITLE = 60


class Latest:
    """An observer of records that keeps the last decision and how it ended."""

    def __init__(self) -> None:
        self.story: Story | None = None

    def __call__(self, record: Record) -> None:
        """Take a record as it is written to the log."""
        if isinstance(record, Decision):
            self.story = Story(decision=record)
        elif isinstance(record, Outcome) and self.story and record.decision_id == self.story.decision.id:
            self.story = Story(decision=self.story.decision, outcome=record)


class Conversation:
    """One chat after another. `model` is auto, auto:POLICY or a candidate's id; `offline` leaves clouds out.

    With `keep` a session is stored from its first answer on, otherwise from `save` on.
    """

    def __init__(self, app: App, store: SessionStore, *, keep: bool, system: str | None = None) -> None:
        self._app, self._store = app, store
        self._keep, self._system = keep, system
        self.model = "auto"
        self.offline = False
        self.new()

    def new(self) -> None:
        """Begin anew; the promise and the messages of the one before do not come along."""
        now = time()
        first = Message(role="system", content=self._system, at=now) if self._system else None
        self.session = Session(
            id=new_id(), title="", created_at=now, updated_at=now, messages=(first,) if first else ()
        )
        self._stored = False
        self._kept = self._keep

    def load(self, which: str) -> None:
        """Go on with a stored session. Raises `RequestError` or `UnknownModel`."""
        self.session = self._store.show(which)
        self._stored = self._kept = True

    @property
    def models(self) -> list[str]:
        """What `choose` takes."""
        policies = [f"auto:{name}" for name in self._app.router.policies if name != "auto"]
        return ["auto", *(candidate.id for candidate in self._app.candidates), *policies]

    def choose(self, model: str) -> None:
        """Pin a candidate or name a policy. Raises `RequestError` for what there is not."""
        if model not in self.models:
            raise RequestError(f"There is no model '{model[:100]}'; there are {', '.join(self.models)}.")
        self.model = model

    def make_local(self) -> None:
        """Promise that nothing of this session leaves the machine from now on."""
        self._store.marks.promise(self.session.id, LOCAL)
        self.session = replace(self.session, privacy=LOCAL)

    def save(self, title: str | None = None) -> Session:
        """Keep the session from now on, under a title of its own if one is given."""
        if not any(message.role == "user" for message in self.session.messages):
            raise RequestError("There is nothing to save yet.")
        self._kept = True
        self._write(self.session.messages)
        if title:
            renamed = self._store.rename(self.session.id, title)
            self.session = replace(self.session, title=renamed.title)
        return self.session

    async def say(self, text: str, show: Callable[[str], None]) -> None:
        """Ask, and hand the answer to `show` word by word.

        What was asked and answered is kept, also where it was stopped half-way; what was not answered at all
        is as if it had never been asked. Raises what the router raises.
        """
        asked = Message(role="user", content=text, at=time())
        answer = await self._app.router.route(self._request(asked))
        words: list[str] = []
        whole = False
        try:
            if answer.pieces is not None:
                async for piece in answer.pieces:
                    said = words_of(piece)
                    words.append(said)
                    show(said)
            whole = True
        finally:
            if answer.pieces is not None:
                await answer.pieces.aclose()
            self._answered(asked, "".join(words), answer.decision, whole=whole)

    def _request(self, asked: Message) -> Request:
        wishes = {"session": self.session.id}
        if self.session.privacy:
            wishes["privacy"] = self.session.privacy
        if self.offline:
            wishes["candidates"] = ",".join(self._at_the_edge())
        body = {
            "model": self.model,
            "messages": [message.wire() for message in (*self.session.messages, asked)],
            "stream": True,
            "temperature": TEMPERATURE,
            "edgewise": {"trim": True},
        }
        return parse_chat(encoded(body), wishes)

    def _at_the_edge(self) -> list[str]:
        here = [c.id for c in self._app.candidates if c.location == "edge" and c.kind == "chat"]
        if not here:
            raise RequestError("Offline nobody can answer: no edge candidate is configured.")
        return here

    def _answered(self, asked: Message, text: str, decision: Decision, *, whole: bool) -> None:
        if not text:
            return
        metadata: dict[str, Any] = {"candidate": decision.chosen, "decision": decision.id}
        if not whole:
            metadata["stopped"] = True
        answer = Message(role="assistant", content=text, at=time(), metadata=metadata)
        title = self.session.title or " ".join(asked.text.split())[:TITLE]
        self.session = replace(self.session, title=title, messages=(*self.session.messages, asked, answer))
        if self._kept:
            self._write((asked, answer))

    def _write(self, latest: tuple[Message, ...]) -> None:
        """Put the session into the store, or what is new of it."""
        if self._stored:
            if latest is not self.session.messages:
                self._store.append(self.session.id, *latest)
            return
        title = "".join(c if c.isprintable() else " " for c in self.session.title)[:LONGEST_TITLE]
        self._store.put(replace(self.session, title=title.strip() or "Untitled"))
        self._stored = True


def encoded(body: dict[str, Any]) -> bytes:
    """The body as JSON. Raises `RequestError` for halves of characters, as a terminal can hand them over."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise RequestError("The prompt is not UTF-8 text.") from error
