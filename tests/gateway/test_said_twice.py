"""What a request says twice: what was promised once is not lost to the second time."""

from __future__ import annotations

import pytest

from edgewise.domain.errors import RequestError
from edgewise.gateway.chat import together
from edgewise.gateway.chat_body import parse_chat

BODY = b'{"messages":[{"role":"user","content":"hi"}]%b}'


@pytest.mark.parametrize(
    "more",
    [
        b',"edgewise":{"privacy":"local"},"edgewise":null',
        b',"edgewise":{"privacy":"local"},"edgewise":{}',
        b',"edgewise":{"privacy":"local","privacy":null}',
        b',"edgewise":{"session":"s","session":null}',
        b',"edgewise":{"metadata":{"team":"a","team":"b"}}',
    ],
)
def test_a_key_of_ours_stands_once(more: bytes) -> None:
    with pytest.raises(RequestError, match="stands twice in one object"):
        parse_chat(BODY % more, {})


def test_the_same_key_elsewhere_is_nobody_s_business() -> None:
    more = b',"edgewise":{"privacy":"local"},"tools":[{"edgewise":1,"x":{"edgewise":2,"a":1,"a":2}}]'
    assert parse_chat(BODY % more, {}).wishes.privacy == "local"


def test_header_and_body_do_not_name_two_sessions() -> None:
    """The one that is left out may be held local."""
    with pytest.raises(RequestError, match="two different sessions"):
        parse_chat(BODY % b',"edgewise":{"session":"secret"}', {"session": "other"})
    assert parse_chat(BODY % b',"edgewise":{"session":"s"}', {"session": "s"}).wishes.session == "s"


def test_a_session_s_header_that_comes_twice_is_no_third_session() -> None:
    assert together("session", "secret", "secret") == "secret"
    assert together("privacy", "local", "region:eu") == "local,region:eu"
    assert together("candidates", "a", "b") == "a,b"
    with pytest.raises(RequestError, match="x-edgewise-session comes twice"):
        together("session", "secret", "other")
