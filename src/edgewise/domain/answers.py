"""What the candidate that was asked first has said: what a cascade reads before it asks another."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from edgewise.domain.labels import Said


class FirstAnswer(Struct, frozen=True):
    """An answer that no client has seen yet. `text` are its words, empty where it only calls a tool.

    `prompt` is what was asked, without markup; `vector` are the words described as prompts are, where a
    policy needs that; `took_s` are the seconds from the request's arrival until the answer was there. `said`
    is what a classifier says. `metadata` is the request's.
    """

    candidate: str
    text: str
    prompt: str = ""
    vector: Any = None
    took_s: float = 0.0
    said: Said | None = None
    metadata: dict[str, str] = {}
