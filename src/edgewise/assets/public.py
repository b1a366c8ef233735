"""Which addresses are the internet's, and not this machine's or its network's."""

from __future__ import annotations

import socket
from ipaddress import ip_address


def is_public(host: str) -> bool:
    """Whether no address of `host` is private, link-local, loopback or otherwise special.

    A name that cannot be looked up here counts as public: behind a proxy only the proxy can, and nobody else
    gets any further with it.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return bool(host)
    return all(_is_public(str(address[0])) for *_, address in found)


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global
