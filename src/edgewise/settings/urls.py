"""The base URL of an endpoint: what makes it usable, and whether it stays on this machine.

A URL may carry a secret, so nothing here repeats one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewise.domain.addresses import is_loopback
from edgewise.settings.secrecy import has_key_prefix

if TYPE_CHECKING:
    from urllib.parse import SplitResult

EXAMPLE = "http://127.0.0.1:11434/v1"


def url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with a base URL and what would be right, or None."""
    parts = split(url)
    if parts is None:
        return "is not a URL", f"expected one such as {EXAMPLE}"
    if "@" in parts.netloc or has_key_prefix(url):
        return "has a secret in it", "expected a URL without one, since keys come from environment variables"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://", f"expected a URL such as {EXAMPLE}"
    if not parts.hostname:
        return "names no host", f"expected a URL such as {EXAMPLE}"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        return "has something after ? or #", "expected a base URL that paths can be added to"
    return None


def split(url: str) -> SplitResult | None:
    """The parts of a URL whose host and port every parser reads alike, or None."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None  # parsers differ over these, and a prompt must not go where nobody looked
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def stays_here(url: str) -> bool:
    """Whether the URL's host is this machine itself."""
    parts = split(url)
    return parts is not None and is_loopback(parts.hostname or "")
