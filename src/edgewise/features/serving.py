"""Featurizers of requests: text statistics for every policy, and vectors where a learned one needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edgewise.domain.requests import Features
from edgewise.features.described import describer
from edgewise.features.parts import parts_of, parts_of_turns

if TYPE_CHECKING:
    from edgewise.domain.requests import Request
    from edgewise.features.parts import Parts
    from edgewise.features.text import TextFeatures


class VectorFeatures:
    """Text statistics, and what a bundle trained on the features `version` reads beside them.

    The whole conversation is described; the user's last message counts most (`features.parts`). A request
    of one message is described as its text is in a table.
    """

    def __init__(self, text: TextFeatures, version: str) -> None:
        self._text, self._version = text, version
        self._describe = describer(version)

    async def describe(self, request: Request) -> Features:
        """Statistics, and a `Described` of one row as `vector`."""
        plain = await self._text.describe(request)
        parts = (parts_in(request),)
        describe = self._describe
        # A neural network takes milliseconds, in which the loop should go on; static vectors take far less.
        found = describe.of(parts) if describe.embed is None else await asyncio.to_thread(describe.of, parts)
        return Features(plain.named, found, plain.version, self._version)


def parts_in(request: Request) -> Parts:
    """What counts of a request."""
    return parts_of_turns(request.turns) if request.turns else parts_of(request.text)
