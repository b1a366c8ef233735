"""An API key from the environment is a key and nothing else, wherever it was copied from."""

from __future__ import annotations

import asyncio

import pytest
from tests.servers import Mock

from edgewise.domain.errors import SettingsError
from edgewise.gateway.chat_body import chat_of
from edgewise.upstreams.openai import OpenAICompatible


def test_the_line_break_at_the_end_of_a_file_is_not_part_of_the_key(mock: Mock) -> None:
    async def main() -> None:
        upstream = OpenAICompatible("giant", "giant-9", mock.url, api_key=" sk-canary\n")
        await upstream.ask(chat_of("Hi"))
        await upstream.aclose()

    asyncio.run(main())
    assert mock.calls[0].headers["authorization"] == "Bearer sk-canary"


@pytest.mark.parametrize("key", ["sk-canary\r\nx-evil: 1", "sk-canary…", "sk\x00canary", "sk-canary\x7f"])
def test_what_would_be_another_header_is_refused_without_being_said(key: str) -> None:
    with pytest.raises(SettingsError, match="The API key of 'giant'") as caught:
        OpenAICompatible("giant", "giant-9", "http://127.0.0.1:1/v1", api_key=key)
    assert "canary" not in str(caught.value)
