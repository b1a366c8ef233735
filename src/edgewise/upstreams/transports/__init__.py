"""How bytes get to an endpoint and back: our own HTTP/1.1, or pyreqwest where a proxy stands between."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from edgewise.domain.addresses import is_loopback
from edgewise.upstreams.transports.reply import CONNECT_S, MOST_BYTES, Reply, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reply", "Transport", "transport_for"]


def transport_for(  # noqa: PLR0913 - one argument a property of the endpoint
    name: str,
    base: str,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    most_bytes: int = MOST_BYTES,
    connect_s: float = CONNECT_S,
) -> Transport:
    """The transport for a base URL. `name` stands in errors; `headers` go with each call, never shown.

    `timeout_s` bounds the silence between two reads, `most_bytes` the body of one answer, `connect_s` the
    making of one connection, its TLS included.

    Our own client (`http1`) costs a third of the CPU and hangs up at once when a call is cancelled. Where the
    environment names a proxy (`HTTPS_PROXY`, `NO_PROXY`), pyreqwest goes through it (`reqwest`).
    """
    if _is_proxied(base):
        from edgewise.upstreams.transports.reqwest import Reqwest  # noqa: PLC0415 - few need it

        return Reqwest(name, base, headers, timeout_s=timeout_s, most_bytes=most_bytes, connect_s=connect_s)
    from edgewise.upstreams.transports.http1 import Http1  # noqa: PLC0415 - so that deciding needs no network

    return Http1(name, base, headers, timeout_s=timeout_s, most_bytes=most_bytes, connect_s=connect_s)


def _is_proxied(base: str) -> bool:
    address = urlsplit(base)
    host, proxies = address.hostname or "", getproxies()
    if is_loopback(host) or not (address.scheme in proxies or "all" in proxies):
        return False
    return not proxy_bypass(host)
