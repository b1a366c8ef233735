"""What the caller asked for, and what a policy may know about it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from edgewise.domain.candidates import Shortlist
from edgewise.domain.signals import NO_SIGNALS, Signals


class Needs(Struct, frozen=True):
    """What a candidate must be able to do to answer. `input_tokens` is an estimate from the text.

    `output_tokens` is the limit of one answer (0: none was given), `answers` how many are asked for.
    `least_tokens`, where it stands, are those that are left when the conversation is trimmed to a window.
    `task`, where it stands, says that a label is asked for and no answer, and for which task ("" where the
    configuration names none).
    """

    input_tokens: int = 0
    output_tokens: int = 0
    tools: bool = False
    vision: bool = False
    json_schema: bool = False
    least_tokens: int | None = None
    answers: int = 1
    task: str | None = None


Priority = Literal["high", "normal", "low"]  # who goes first, and who is turned away first


class Wishes(Struct, frozen=True):
    """What the caller said about the placement itself.

    `model` is "auto", "auto:NAME" or a candidate's id (a strict pin). `candidates` narrows the field.
    `privacy` is where the text may go, in the words of `domain.privacy`.
    `deadline_s` is how long the caller will wait for the whole answer; `metadata` is what rules of the
    configuration may refer to. `priority` counts where a candidate has more to do than it can. `fallback`
    says whether another may take over from a candidate that fails; None leaves that to the configuration,
    and a pinned one to itself.
    """

    model: str = "auto"
    privacy: str | None = None
    session: str | None = None
    objective: str | None = None
    candidates: tuple[str, ...] | None = None
    deadline_s: float | None = None
    metadata: dict[str, str] = {}
    priority: Priority = "normal"
    fallback: bool | None = None


Action = Literal["local", "redact", "block", "allow"]  # what to do about something private that was found


class Finding(Struct, frozen=True):
    """Something private that was found: which rule, where in the request's `text` (start, end), and what.

    What stands elsewhere in the body has no place in the text: its start and end are 0.
    """

    rule: str
    start: int
    end: int
    action: Action = "local"
    value: str = ""


class Turn(Struct, frozen=True, rename={"text": "content"}):
    """One message of a conversation: who speaks (`user`, `assistant`, `system`, `tool`), and the plain text.

    Encoded as JSON it is a message in OpenAI's shape.
    """

    role: str
    text: str


class Request(Struct, frozen=True):
    """One chat request, or one text to be labelled.

    `id` is minted by us, never by the client, who could otherwise steer the draw.

    `prompt` is the last user message, `text` the whole conversation, both without markup. `turns` are the
    messages that hold text, in order; empty where there is only one.
    `body` is the JSON exactly as it came in; upstreams splice it rather than build it anew.
    `extended` says that more than the name of its model must change: the body carries our `edgewise` object,
    which is never sent on, or names no model.
    `in_tool_loop` says that the last message is a tool's result: whoever called it waits for it.
    `findings` are what detectors saw, once it was `searched`; `previous` is the candidate that
    answered the session's last request, where one is known. Screens fill in both. `key` is the name of the
    client's key, never the key. `trim` says whether old
    messages may be left out where they do not fit; None leaves that to the configuration.
    """

    id: str
    prompt: str
    text: str
    body: bytes
    wishes: Wishes = Wishes()
    needs: Needs = Needs()
    stream: bool = False
    wants_usage: bool = False
    stream_options: bool = False
    extended: bool = False
    in_tool_loop: bool = False
    trim: bool | None = None
    findings: tuple[Finding, ...] = ()
    searched: bool = False
    previous: str | None = None
    turns: tuple[Turn, ...] = ()
    key: str | None = None

    @property
    def pin(self) -> str | None:
        """The candidate that the caller insists on, if any."""
        model = self.wishes.model
        return None if model == "auto" or model.startswith("auto:") else model


class Absent(Struct, frozen=True):
    """Why a request has no vector although a policy needs one, in a word and in a sentence.

    `private`: the text may not go where vectors are made; `late`, `failed`: they were asked for in vain;
    `pinned`: nobody needed to ask; `mismatch`: what came is not what the policy was trained on.
    """

    why: Literal["private", "late", "failed", "pinned", "mismatch"]
    sentence: str


class Features(Struct, frozen=True):
    """What was found in a request: named numbers and, where a policy needs one, a vector.

    `version` names what `named` holds, `vector_version` what `vector` is, so that a bundle can refuse
    features that it was not trained on. Where a vector was needed and there is none, `absent` says why.
    """

    named: dict[str, float]
    vector: Any = None
    version: str = ""
    vector_version: str = ""
    absent: Absent | None = None


class Situation(Struct, frozen=True):
    """Everything that a policy may look at. `objective` is the one that the request asks for, if any.

    `sticky` is the session's name or else the request's id: what a policy may hash to treat a conversation
    alike. `previous` is the candidate that answered the session's last request, `in_tool_loop` whether this
    request brings it the result of a tool that it called.
    """

    features: Features
    shortlist: Shortlist
    signals: Signals = NO_SIGNALS
    objective: str | None = None
    sticky: str = ""
    previous: str | None = None
    in_tool_loop: bool = False
