"""How bytes get to an endpoint and back: our own HTTP/1.1 where it is plain, pyreqwest elsewhere."""

from __future__ import annotations

from os import environ
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewise.domain.addresses import is_loopback
from edgewise.upstreams.transports.reply import Reply, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reply", "Transport", "transport_for"]


def transport_for(name: str, base: str, headers: Mapping[str, str], *, timeout_s: float) -> Transport:
    """The transport for a base URL. `name` stands in errors; `headers` go with each call, never shown.

    Plain HTTP without a proxy goes the short way (`plain`), which costs a third of the CPU. TLS, HTTP/2 and
    proxies are pyreqwest's (`reqwest`).
    """
    address = urlsplit(base)
    proxied = not is_loopback(address.hostname or "") and (
        environ.get("http_proxy") or environ.get("HTTP_PROXY")
    )
    if address.scheme == "http" and not proxied:
        from edgewise.upstreams.transports.plain import PlainHttp  # noqa: PLC0415 - the other may not be needed

        return PlainHttp(name, base, headers, timeout_s=timeout_s)
    from edgewise.upstreams.transports.reqwest import Reqwest  # noqa: PLC0415 - the same

    return Reqwest(name, base, headers, timeout_s=timeout_s)
