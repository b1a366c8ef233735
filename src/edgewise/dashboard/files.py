"""The scripts and styles that ship with the package."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from edgewise.dashboard.page import Gone, Reply

PREFIX: Final = "/assets/"
KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def _all() -> dict[str, tuple[bytes, str]]:
    """Bytes and tag by name: only what is in the folder can be asked for."""
    folder = files("edgewise.dashboard").joinpath("assets")
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.split(".")[-1] in KINDS}
    return {name: (raw, f'"{sha256(raw).hexdigest()[:16]}"') for name, raw in found.items()}


def asset(name: str, known: str | None = None) -> Reply:
    """The file, or 304 where the browser has it (`known` is the tag that it sent). Raises Gone."""
    found = _all().get(name)
    if found is None:
        raise Gone("There is no such file.")
    raw, tag = found
    headers = (("cache-control", "no-cache"), ("etag", tag))
    kind = KINDS[name.rsplit(".", 1)[-1]]
    return Reply(b"", kind, 304, headers) if known == tag else Reply(raw, kind, 200, headers)
