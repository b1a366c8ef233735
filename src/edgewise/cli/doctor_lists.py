"""The models that an endpoint lists, by what it speaks."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

Api = Literal["openai", "ollama", "classify"]
LISTS_AT: dict[Api, str] = {"openai": "/models", "ollama": "/api/tags", "classify": "/models"}
ENDS_AT: dict[Api, str] = {
    "openai": "Check that the candidate's url ends where /chat/completions begins, often in /v1.",
    "ollama": "Check that the candidate's url is Ollama's own address, without /v1.",
    "classify": "Check that the candidate's url ends where /classify begins, often in /v1.",
}


class Listed(Struct):
    """One model of a list; `owned_by` tells who serves it, where the endpoint says so."""

    id: str
    owned_by: str = ""


class _Models(Struct):
    data: list[Listed] | None = None


class _Tag(Struct):
    name: str


class _Tags(Struct):
    models: list[_Tag] | None = None


def listed_in(body: bytes, api: Api = "openai") -> list[Listed] | None:
    """The models in an answer's body, or None where it is no such list."""
    try:
        if api != "ollama":
            return msgspec.json.decode(body, type=_Models).data
        tags = msgspec.json.decode(body, type=_Tags).models
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if tags is None else [Listed(tag.name) for tag in tags]
