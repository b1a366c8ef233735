"""Vectors for tables: in batches, several at a time, each text asked once and kept on disk."""

# numpy leaves some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from edgewise.domain.errors import (
    BundleError,
    EdgewiseError,
    SettingsError,
    UpstreamError,
    UpstreamRefused,
)
from edgewise.features.endpoint.access import naming
from edgewise.features.endpoint.cache import VectorCache
from edgewise.features.endpoint.client import EmbeddingsClient
from edgewise.features.endpoint.names import PROBE, Identity, alike, fingerprint, place, read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgewise.features.endpoint.access import Access

    Floats = NDArray[np.float32]

BATCH: Final = 64
BATCH_CHARACTERS: Final = 100_000
AT_ONCE: Final = 4
TRIES: Final = 5
TIMEOUT_S: Final = 120.0
LONGEST_PAUSE_S: Final = 60.0
AGAIN: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


def identify(name: str, *, say: Callable[[str], None] | None = None) -> Identity:
    """Ask the endpoint `URL#MODEL` what its vectors are like. Blocks; not to be called inside an event loop.

    Without `#MODEL` the only model that the endpoint lists is taken. Vectors that another model left in the
    cache under the same name are forgotten. Raises `SettingsError`, `UpstreamError`, `StoreError`.
    """
    url, model = read_name(name)
    access = naming(url)
    model, probe = asyncio.run(_probed(access, model))
    cache = VectorCache(url, model)
    known = cache.get([PROBE]).get(PROBE)
    if known is not None and len(known) == len(probe) and alike(fingerprint(known), fingerprint(probe)):
        return Identity(len(known), fingerprint(known), model, url)
    if known is not None:
        (say or _quiet)(f"{place(url)} has another '{model}' than before: all vectors are fetched anew")
        cache.clear()
    cache.put({PROBE: probe})
    return Identity(len(probe), fingerprint(probe), model, url)


async def _probed(access: Access, model: str | None) -> tuple[str, Floats]:
    client = EmbeddingsClient(access.url, model or "", access.key, timeout_s=TIMEOUT_S)
    try:
        if model is None:
            client.model = _only(await client.models(), access.url)
        return client.model, (await client.embed([PROBE]))[0]
    finally:
        await client.aclose()


def _only(models: list[str], url: str) -> str:
    if len(models) == 1:
        return models[0]
    listed = ", ".join(models[:10]) or "none"
    raise SettingsError(
        f"{place(url)} has {len(models)} models ({listed}); name the one that makes the vectors: "
        "--features URL#MODEL."
    )


@dataclass(slots=True)
class Fetched:
    """Texts → vectors (n, dims) of an endpoint; blocks, and shows on `say` how far it is.

    What was fetched before an interruption is not asked again: after a failure no new batch is sent, and the
    answers that are on their way are waited for and kept. Answers that cannot come from the model that
    `identity` tells of raise `BundleError`; an endpoint that gives up raises `UpstreamError`, after `TRIES`
    tries where trying again can help, `pause_s` and then ever more seconds apart.
    """

    identity: Identity
    allow: Callable[[], Access]
    say: Callable[[str], None]
    pause_s: float = 0.5
    _verified: bool = field(default=False, init=False)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Vectors of length one, zeros for texts of blanks."""
        cache = VectorCache(self.identity.url, self.identity.model)
        wanted = list(dict.fromkeys(text for text in texts if text.strip()))
        known = cache.get(wanted)
        missing = [text for text in wanted if text not in known]
        if missing:
            known |= asyncio.run(self._fetch(missing, cache))
        found = np.zeros((len(texts), self.identity.dims), np.float32)
        for row, text in enumerate(texts):
            vector = known.get(text)
            if vector is not None:
                found[row] = self._fitting(vector)
        return found

    async def _fetch(self, texts: list[str], cache: VectorCache) -> dict[str, Floats]:
        access = self.allow()
        client = EmbeddingsClient(access.url, self.identity.model, access.key, timeout_s=TIMEOUT_S)
        found: dict[str, Floats] = {}
        failures: list[EdgewiseError] = []
        failed = asyncio.Event()
        batches = _batches(texts)
        shown = 0

        async def work() -> None:
            nonlocal shown
            for batch in batches:
                try:
                    vectors = await self._patiently(client, batch, failed)
                    rows = dict(zip(batch, map(self._fitting, vectors), strict=True))
                    cache.put(rows)
                    found.update(rows)
                    if len(found) * 10 // len(texts) > shown:
                        shown = len(found) * 10 // len(texts)
                        self.say(f"{len(found):,} of {len(texts):,} vectors from {place(access.url)}")
                except EdgewiseError as error:
                    failures.append(error)
                    failed.set()
                if failed.is_set():
                    return

        try:
            if not self._verified:
                await self._verify(client, failed)
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work())
        finally:
            await client.aclose()
        if failures:
            raise failures[0]
        return found

    async def _verify(self, client: EmbeddingsClient, failed: asyncio.Event) -> None:
        """The endpoint may have changed since the bundle was trained: ask the text that tells."""
        probe = (await self._patiently(client, [PROBE], failed))[0]
        if problem := self.identity.problem(probe):
            raise mismatch(self.identity, client.url, problem)
        self._verified = True

    async def _patiently(self, client: EmbeddingsClient, batch: list[str], failed: asyncio.Event) -> Floats:
        """Try several times, but not again once another batch has `failed`."""
        for attempt in range(1, TRIES):
            try:
                return await client.embed(batch)
            except UpstreamError as error:
                if await _set_within(failed, _pause(error, self.pause_s * 2 ** (attempt - 1))):
                    raise
        return await client.embed(batch)

    def _fitting(self, vector: Floats) -> Floats:
        if len(vector) != self.identity.dims:
            problem = f"its vectors have {len(vector)} numbers and not {self.identity.dims}"
            raise mismatch(self.identity, self.identity.url, problem)
        return vector


def mismatch(identity: Identity, url: str, problem: str) -> BundleError:
    """The error for an endpoint whose vectors are not those of training."""
    return BundleError(
        f"The bundle was trained on vectors of '{identity.model}', and {place(url)} gives others: {problem}; "
        "serve that model again, or train the bundle anew."
    )


def _pause(error: UpstreamError, otherwise: float) -> float:
    """How long to wait before trying again; raises the error where that cannot help."""
    if not isinstance(error, UpstreamRefused):
        return min(otherwise, LONGEST_PAUSE_S)
    if error.status not in AGAIN:
        raise error
    said = error.retry_after or ""
    asked = float(said) if said.isascii() and said.isdecimal() else 0.0
    return min(max(otherwise, asked), LONGEST_PAUSE_S)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Neighbouring texts, few enough at a time."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _quiet(_: str) -> None:
    """Say nothing."""
