"""Featurizers of requests: text statistics for every policy, and vectors where a learned one needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edgewise.domain.requests import Absent, Features
from edgewise.features.described import describer, endpoint_in
from edgewise.features.parts import parts_of, parts_of_turns
from edgewise.features.text import TextFeatures

if TYPE_CHECKING:
    from edgewise.domain.protocols import Featurizer
    from edgewise.domain.requests import Request
    from edgewise.features.describing import Describer
    from edgewise.features.endpoint.live import Endpoint
    from edgewise.features.parts import Parts
    from edgewise.features.static.vectors import Described
    from edgewise.settings.schema import FeaturesSettings


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
        found = await _described(self._describe, parts)
        return Features(plain.named, found, plain.version, self._version)

    async def read(self, request: Request, answer: str) -> Described:
        """An answer to the request, described as prompts are."""
        del request
        return await _described(self._describe, (parts_of(answer),))


class EndpointFeatures:
    """The same with the vectors of an endpoint, which may fail to come: the features say why then."""

    def __init__(self, text: TextFeatures, version: str, endpoint: Endpoint) -> None:
        self._text, self._version, self._endpoint = text, version, endpoint
        self._describe = describer(version)

    async def describe(self, request: Request) -> Features:
        """Statistics, and a `Described` of one row as `vector`, or `absent`."""
        plain = await self._text.describe(request)
        parts = parts_in(request)
        vectors = await self._endpoint.vectors(request, parts.texts)
        if isinstance(vectors, Absent):
            return Features(plain.named, None, plain.version, absent=vectors)
        found = self._describe.joined((parts,), vectors)
        return Features(plain.named, found, plain.version, self._version)

    async def read(self, request: Request, answer: str) -> Described | None:
        """An answer to the request, described as prompts are; None where its vector does not come."""
        parts = parts_of(answer)
        vectors = await self._endpoint.vectors(request, parts.texts)
        return None if isinstance(vectors, Absent) else self._describe.joined((parts,), vectors)

    async def problem(self) -> str | None:
        """Why the endpoint does not give the vectors of training, or None. Asks it."""
        return await self._endpoint.problem()

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._endpoint.aclose()


async def _described(describe: Describer, parts: tuple[Parts, ...]) -> Described:
    """A neural network takes milliseconds, in which the loop should go on; static vectors take far less."""
    return describe.of(parts) if describe.embed is None else await asyncio.to_thread(describe.of, parts)


async def read_answer(featurizer: Featurizer, request: Request, answer: str) -> Described | None:
    """An answer as `featurizer` describes prompts; None where it makes no vectors, or there are no words."""
    if not answer or not isinstance(featurizer, VectorFeatures | EndpointFeatures):
        return None
    return await featurizer.read(request, answer)


def featurizer(version: str | None, settings: FeaturesSettings) -> Featurizer:
    """What describes requests for policies that read the features `version`; None needs no vectors.

    Raises `BundleError` for features that this Edgewise does not have, `SettingsError` for an endpoint that
    the configuration does not allow to see prompts.
    """
    text = TextFeatures()
    if version is None:
        return text
    identity = endpoint_in(version)
    if identity is None:
        return VectorFeatures(text, version)
    from edgewise.features.endpoint.access import access_to  # noqa: PLC0415 - few need it
    from edgewise.features.endpoint.live import Endpoint  # noqa: PLC0415 - the same

    access = access_to(identity, url=settings.url, key_variable=settings.api_key_env)
    return EndpointFeatures(text, version, Endpoint(identity, access, settings.timeout_s, settings.trust))


def parts_in(request: Request) -> Parts:
    """What counts of a request."""
    return parts_of_turns(request.turns) if request.turns else parts_of(request.text)
