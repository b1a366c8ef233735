"""Where a hub may lead a download: over TLS, to the internet."""

from __future__ import annotations

import io
import socket
import urllib.request
from email.message import Message
from typing import Any

import pytest

from edgewise.assets.public import is_public
from edgewise.assets.sources import _Outward  # pyright: ignore[reportPrivateUsage] - no hub can be asked here
from edgewise.domain.errors import AssetError

PRIVATE = [
    "127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0", "::1",
    "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "localhost", "2852039166",
    "0x7f.1", "",
]  # fmt: skip


def followed(where: str) -> urllib.request.Request | None:
    asked = urllib.request.Request("https://hub.example/model")
    return _Outward().redirect_request(asked, io.BytesIO(), 302, "Found", Message(), where)


@pytest.mark.parametrize("host", PRIVATE)
def test_a_hub_leads_nobody_into_a_private_network(host: str) -> None:
    assert not is_public(host)
    shown = f"[{host}]" if ":" in host else host
    with pytest.raises(AssetError, match="not public, or without TLS"):
        followed(f"https://{shown}/latest/meta-data")


@pytest.mark.parametrize("where", ["http://8.8.8.8/x", "file:///etc/passwd", "ftp://8.8.8.8/x"])
def test_nor_anywhere_without_tls(where: str) -> None:
    with pytest.raises(AssetError, match="without TLS"):
        followed(where)


def test_it_leads_to_where_its_files_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    request = followed("https://8.8.8.8/blob?signature=x")
    assert request is not None
    assert request.full_url == "https://8.8.8.8/blob?signature=x"

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert followed("https://cdn.hub.example/blob") is not None  # only a proxy may know that name


def test_a_name_is_only_as_public_as_the_least_of_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: Any, **__: Any) -> Any:
        return [(2, 1, 6, "", (address, 0)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert not is_public("rebinding.example")
