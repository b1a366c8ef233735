"""What the caller asked for, and what a policy may know about it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from edgewise.domain.candidates import Shortlist
from edgewise.domain.signals import Signal


class Needs(Struct, frozen=True):
    """What a candidate must be able to do to answer. `input_tokens` is an estimate from the text."""

    input_tokens: int = 0
    output_tokens: int = 0
    tools: bool = False
    vision: bool = False
    json_schema: bool = False


class Wishes(Struct, frozen=True):
    """What the caller said about the placement itself.

    `model` is "auto", "auto:NAME" or a candidate's id (a strict pin). `candidates` narrows the field.
    """

    model: str = "auto"
    privacy: Literal["local"] | None = None
    session: str | None = None
    objective: str | None = None
    candidates: tuple[str, ...] | None = None


class Turn(Struct, frozen=True, rename={"text": "content"}):
    """One message of a conversation: who speaks (`user`, `assistant`, `system`, `tool`), and the plain text.

    Encoded as JSON it is a message in OpenAI's shape.
    """

    role: str
    text: str


class Request(Struct, frozen=True):
    """One chat request. `id` is minted by us, never by the client, who could otherwise steer the draw.

    `prompt` is the last user message, `text` the whole conversation, both without markup. `turns` are the
    messages that hold text, in order; empty where there is only one.
    `body` is the JSON exactly as it came in; upstreams splice it rather than build it anew.
    `extended` says that the body carries our `edgewise` object, which is never sent on.
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
    turns: tuple[Turn, ...] = ()

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
    alike.
    """

    features: Features
    shortlist: Shortlist
    signals: tuple[Signal, ...] = ()
    objective: str | None = None
    sticky: str = ""
