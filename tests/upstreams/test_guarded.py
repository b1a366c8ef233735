"""The last line of defence: what may not go somewhere is not sent there, whoever asks."""

from __future__ import annotations

import asyncio

import pytest

from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import WouldLeave
from edgewise.domain.requests import Finding, Request, Wishes
from edgewise.upstreams.guarded import Guarded
from edgewise.upstreams.scripted import Scripted

DEVICE = Candidate("here", "edge", "device")
SITE = Candidate("rack", "edge", "site", region="eu-de")
CLOUD = Candidate("far", "cloud", "cloud", region="us")


def asked(candidate: Candidate, privacy: str | None, *findings: Finding) -> bool:
    """Whether the upstream behind the guard got the request."""
    behind = Scripted(["yes"])
    request = Request("req", "hi", "hi", b"{}", Wishes(privacy=privacy), findings=findings)
    try:
        asyncio.run(Guarded(behind, candidate).ask(request))
    except WouldLeave as refused:
        assert str(refused).startswith(f"{candidate.id} was not asked")
        assert not behind.asked
        return False
    return bool(behind.asked)


@pytest.mark.parametrize(
    ("privacy", "who"),
    [
        (None, ("here", "rack", "far")),
        ("local", ("here",)),
        ("region:eu", ("here", "rack")),
        ("region:eu-de", ("here", "rack")),
        ("region:eu-fr", ("here",)),
        ("region:us", ("here", "far")),
        ("region:eu,region:us", ("here",)),
        ("region:u", ("here",)),
        ("region:", ("here",)),
        ("nonsense", ("here",)),
    ],
)
def test_who_may_get_what(privacy: str | None, who: tuple[str, ...]) -> None:
    assert tuple(c.id for c in (DEVICE, SITE, CLOUD) if asked(c, privacy)) == who


@pytest.mark.parametrize("action", ["local", "redact", "block"])
def test_what_was_found_and_still_stands_there_is_not_sent(action: str) -> None:
    finding = Finding("card", 0, 2, action)  # type: ignore[arg-type]
    assert not asked(CLOUD, None, finding)


def test_what_is_allowed_is_sent() -> None:
    assert asked(CLOUD, None, Finding("card", 0, 2, "allow"))
