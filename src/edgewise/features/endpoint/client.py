"""One embeddings endpoint: texts in, vectors of length one out."""

# numpy leaves some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import ConnectTimeoutError, PyreqwestError, ReadTimeoutError, RequestTimeoutError

from edgewise.domain.errors import UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from edgewise.features.endpoint.names import place, stays_on_device
from edgewise.features.static.tokens import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyreqwest.client import Client
    from pyreqwest.request import RequestBuilder
    from pyreqwest.response import Response

    Floats = NDArray[np.float32]

LONGEST = 8_000  # characters of a text: its beginning and its end
CONNECT_TIMEOUT_S = 10.0
OK = 200
NOT_ALLOWED = (401, 403)
SAID = 200  # characters of an endpoint's own words


class _Row(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _Answer(msgspec.Struct):
    data: list[_Row]


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


class _Said(msgspec.Struct):
    message: str


class _Refusal(msgspec.Struct):
    error: _Said


_answer = msgspec.json.Decoder(_Answer).decode
_models = msgspec.json.Decoder(_Models).decode
_refusal = msgspec.json.Decoder(_Refusal).decode


class EmbeddingsClient:
    """A model behind a base URL (".../v1"). `key` is sent as a bearer token and never shown.

    Redirects are not followed: they could carry a text anywhere. Calls to this machine pass by any proxy.
    """

    def __init__(self, url: str, model: str, key: str | None, *, timeout_s: float) -> None:
        self.url, self.model = url, model
        self._key, self._timeout_s = key, timeout_s
        self._client: Client | None = None

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors (n, d) of length one; zeros for a text of blanks, which is not sent.

        Raises `UpstreamError`, which names the endpoint's host.
        """
        words = [(row, _clean(text)) for row, text in enumerate(texts) if text.strip()]
        if not words:
            return np.zeros((len(texts), 0), np.float32)
        asked = {"model": self.model, "input": [text for _, text in words], "encoding_format": "float"}
        body = await self._send(
            self._opened().post(f"{self.url}/embeddings").body_bytes(msgspec.json.encode(asked))
        )
        rows = self._rows(body, len(words))
        found = np.zeros((len(texts), rows.shape[1]), np.float32)
        found[[row for row, _ in words]] = rows
        return found

    async def models(self) -> list[str]:
        """The models that the endpoint lists. Raises `UpstreamError`."""
        body = await self._send(self._opened().get(f"{self.url}/models"))
        try:
            return [model.id for model in _models(body).data]
        except msgspec.MsgspecError:
            raise UpstreamUnreachable(f"{place(self.url)} does not list its models.") from None

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _opened(self) -> Client:
        if self._client is None:
            builder = (
                ClientBuilder()
                .follow_redirects(enable=False)
                .referer(enable=False)
                .connect_timeout(timedelta(seconds=CONNECT_TIMEOUT_S))
                .timeout(timedelta(seconds=self._timeout_s))
            )
            self._client = (builder.no_proxy() if stays_on_device(self.url) else builder).build()
        return self._client

    async def _send(self, call: RequestBuilder) -> bytes:
        call = call.header("content-type", "application/json")
        if self._key:
            call = call.header("authorization", f"Bearer {self._key}")
        host = place(self.url)
        try:
            response = await call.build().send()
            body = bytes(await response.bytes())
        except (ConnectTimeoutError, ReadTimeoutError, RequestTimeoutError) as error:
            raise UpstreamTimeout(f"{host} gave no vectors in {self._timeout_s:g} s.") from error
        except PyreqwestError as error:
            raise UpstreamUnreachable(f"{host} gave no vectors: the connection failed.") from error
        if response.status != OK:
            raise _refused(host, response, body)
        return body

    def _rows(self, body: bytes, count: int) -> Floats:
        try:
            rows = sorted(_answer(body).data, key=lambda row: row.index)
            found = np.array([row.embedding for row in rows], np.float32)
        except (msgspec.MsgspecError, ValueError):
            found = np.zeros((0, 0), np.float32)
        if found.ndim < 2 or len(found) != count or not found.shape[1]:  # noqa: PLR2004 - rows and columns
            raise UpstreamUnreachable(f"{place(self.url)} answered with something else than {count} vectors.")
        length = np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
        return np.asarray(found / np.where(length > 0, length, 1), np.float32)


def _clean(text: str) -> str:
    """The part that is sent, without lone surrogates, which have no UTF-8."""
    return clip(text, LONGEST).encode("utf-8", "replace").decode("utf-8")


def _refused(host: str, response: Response, body: bytes) -> UpstreamRefused:
    status = response.status
    if status in NOT_ALLOWED:
        why = " (is the key in the environment the right one?)"
    else:
        try:
            said = " ".join(_refusal(body).error.message.split())[:SAID].rstrip(".")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            said = ""
        why = f": {said}" if said else ""
    message = f"{host} refused to make vectors with HTTP {status}{why}."
    retry_after = response.get_header("retry-after")
    return UpstreamRefused(message, status=status, body=body, retry_after=retry_after)
