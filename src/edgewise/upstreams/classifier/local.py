"""A classifier bundle on this machine as an `Upstream`."""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import TYPE_CHECKING

from edgewise.upstreams.classifier.bundle import ClassifierBundle
from edgewise.upstreams.classifier.together import Together
from edgewise.upstreams.labels import label_body

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgewise.domain.requests import Request

MOST_TOGETHER = 64


class LocalClassifier:
    """Labels texts by the bundle in `folder`, in a thread, opened when the first text comes.

    Texts that come while others are under way run together. Raises `BundleError` or `MissingExtra` where the
    bundle cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opening = Lock()
        self._bundle: ClassifierBundle | None = None
        self._together = Together(self._run, most=MOST_TOGETHER)

    async def ask(self, request: Request) -> bytes:
        """What the classifier says of the request's prompt."""
        return await self._together.ask(request)

    async def warm(self) -> None:
        """Open the bundle."""
        await asyncio.to_thread(self._opened)

    async def loaded(self) -> bool | None:
        """Whether the bundle is open."""
        return self._bundle is not None

    async def aclose(self) -> None:
        """Wait for nobody."""
        await self._together.aclose()

    async def _run(self, requests: Sequence[Request]) -> Sequence[bytes]:
        return await asyncio.to_thread(self._answers, [request.prompt for request in requests])

    def _answers(self, texts: Sequence[str]) -> list[bytes]:
        bundle = self._opened()
        tokens = bundle.runtime.tokens(texts)
        said = bundle.said(tokens)
        return [label_body(one, max(1, len(ids))) for one, ids in zip(said, tokens, strict=True)]

    def _opened(self) -> ClassifierBundle:
        with self._opening:
            if self._bundle is None:
                self._bundle = ClassifierBundle.load(self.folder)
            return self._bundle
