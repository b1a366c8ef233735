"""An endpoint as serving uses it: within a deadline, and never at the price of a promise.

Where there is no vector in time, `Absent` says why, and the policy falls back; the client waits no longer
than the deadline and gets no error.
"""

# numpy leaves some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

import numpy as np

from edgewise.domain.errors import UpstreamError
from edgewise.domain.requests import Absent
from edgewise.features.endpoint.client import EmbeddingsClient
from edgewise.features.endpoint.fetch import mismatch
from edgewise.features.endpoint.names import PROBE, place, stays_on_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewise.domain.candidates import Trust
    from edgewise.domain.requests import Request
    from edgewise.features.endpoint.access import Access
    from edgewise.features.endpoint.names import Identity

    Floats = NDArray[np.float32]

REMEMBERED: Final = 4096  # vectors; earlier messages of a conversation come again with each request
FAILURES: Final = 3  # in a row; then the endpoint is left alone for a while
REST_S: Final = 5.0
VERIFIED_S: Final = 60.0  # for so long the model behind the name is taken for the one that it was


@dataclass(slots=True)
class Endpoint:
    """One endpoint as serving uses it. `trust` says how far a text that is sent there goes."""

    identity: Identity
    access: Access
    timeout_s: float = 0.5
    trust: Trust | None = None
    _client: EmbeddingsClient = field(init=False, repr=False)
    _known: OrderedDict[str, Floats] = field(default_factory=OrderedDict, init=False, repr=False)
    _problem: str = field(default="", init=False)
    _verified_until: float = field(default=-inf, init=False)
    _failures: int = field(default=0, init=False)
    _rest_until: float = field(default=-inf, init=False)

    def __post_init__(self) -> None:
        access = self.access
        self._client = EmbeddingsClient(access.url, self.identity.model, access.key, timeout_s=self.timeout_s)

    @property
    def on_device(self) -> bool:
        """Whether texts that are sent there stay on this machine."""
        return self.trust == "device" if self.trust is not None else stays_on_device(self.access.url)

    async def vectors(self, request: Request, texts: Sequence[str]) -> Floats | Absent:
        """Vectors of the texts, one row each, or why there are none."""
        host = place(self.access.url)
        if request.wishes.privacy is not None and not self.on_device:
            return Absent("private", f"The request is declared local, and its vector is made by {host}.")
        if request.findings and not self.on_device:  # what a candidate gets is redacted, or never sent
            return Absent("private", f"The request holds something private, and {host} makes its vector.")
        if request.pin is not None:
            return Absent("pinned", "The caller has chosen already, so no vector was asked for.")
        if asyncio.get_running_loop().time() < self._rest_until:
            return self._resting(host)
        try:
            async with asyncio.timeout(self.timeout_s):
                found = await self._asked(texts)
        except TimeoutError:
            return self._failed(Absent("late", f"{host} gave no vectors in {self.timeout_s:g} s."))
        except UpstreamError as error:
            return self._failed(Absent("failed", str(error)))
        self._failures = 0
        return self._mismatched() if found is None else found

    async def problem(self) -> str | None:
        """Why it does not give the vectors of training, or None; it is asked, within the deadline."""
        try:
            async with asyncio.timeout(self.timeout_s):
                rows = await self._client.embed([PROBE])
        except TimeoutError:
            return f"{place(self.access.url)} gave no vectors in {self.timeout_s:g} s."
        except UpstreamError as error:
            return str(error)
        return self._wrong(rows, probing=True) or None

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    async def _asked(self, texts: Sequence[str]) -> Floats | None:
        """The vectors, asked only where they are not remembered; None where they are of another model."""
        new = [text for text in dict.fromkeys(texts) if text.strip() and text not in self._known]
        fresh: dict[str, Floats] = {}
        if new:
            now = asyncio.get_running_loop().time()
            probing = now >= self._verified_until
            asked = [PROBE, *new] if probing else new
            rows = await self._client.embed(asked)
            self._problem = self._wrong(rows, probing=probing)
            if self._problem:
                return None
            if probing:
                self._verified_until = now + VERIFIED_S
            fresh = dict(zip(asked, rows, strict=True))
        found = np.zeros((len(texts), self.identity.dims), np.float32)
        for row, text in enumerate(texts):
            vector = fresh.get(text, self._known.get(text))
            if vector is not None:
                found[row] = vector
                self._remember(text, vector)
        return found

    def _wrong(self, rows: Floats, *, probing: bool) -> str:
        """Why these vectors are not those of training, or nothing; the first is the probe's where asked."""
        problem: str | None = f"its vectors have {rows.shape[1]} numbers and not {self.identity.dims}"
        if rows.shape[1] == self.identity.dims:
            problem = self.identity.problem(rows[0]) if probing else None
        return str(mismatch(self.identity, self.access.url, problem)) if problem else ""

    def _remember(self, text: str, vector: Floats) -> None:
        self._known[text] = vector
        self._known.move_to_end(text)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _resting(self, host: str) -> Absent:
        if self._problem:
            return Absent("mismatch", self._problem)
        return Absent("failed", f"{host} has failed {FAILURES} times in a row and is left alone for now.")

    def _mismatched(self) -> Absent:
        """Ask again only after a rest: until then each request gets the same sentence."""
        self._verified_until = -inf
        self._known.clear()
        self._rest_until = asyncio.get_running_loop().time() + REST_S
        return Absent("mismatch", self._problem)

    def _failed(self, absent: Absent) -> Absent:
        self._problem = ""
        self._verified_until = -inf  # what comes back up may be another model
        self._failures += 1
        if self._failures >= FAILURES:
            self._rest_until = asyncio.get_running_loop().time() + REST_S
        return absent
