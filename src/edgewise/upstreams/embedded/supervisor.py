"""Keeps one embedded model running: started on demand, restarted with backoff, never left behind."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from edgewise import assets
from edgewise.domain.errors import AssetError, EdgewiseError, UpstreamUnreachable
from edgewise.upstreams.embedded.health import EVERY_S, HEALTH_S, answers, hangs
from edgewise.upstreams.embedded.process import Child, Launch

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next start: nothing at first, then doubling with each early death."""

    first_s: float = 0.2
    most_s: float = 10.0
    healthy_s: float = 60.0
    deaths: int = 0

    def died(self, lived_s: float) -> None:
        """Count a death; a healthy minute before it clears the record."""
        self.deaths = 1 if lived_s >= self.healthy_s else self.deaths + 1

    @property
    def delay_s(self) -> float:
        """Seconds from a death to the next start."""
        if self.deaths == 0:
            return 0.0
        return min(self.first_s * 2.0 ** min(self.deaths - 1, 30), self.most_s)


@dataclass(slots=True, eq=False)
class EmbeddedRuntime:
    """One model in a child process, to be shared by all upstreams that stand on it.

    `slots` requests are answered at a time, each with up to `context` tokens; more wait in line.
    `chat_template` replaces the template inside the model file, `temperature` holds for requests without
    one. Its process is asked every `health_every_s` whether it is well; one that does not answer twice,
    within `health_timeout_s`, is killed and started again. Belongs to one event loop.
    `EmbeddedRuntime.of(name)` fills all of it in for a known model.
    """

    model_path: Path
    alias: str
    _: KW_ONLY
    slots: int = 2
    threads: int = 1
    python: str = sys.executable
    chat_template: str | None = None
    temperature: float | None = None
    context: int = 8192
    start_timeout_s: float = 60.0
    health_every_s: float = EVERY_S
    health_timeout_s: float = HEALTH_S
    starts: int = field(default=0, init=False)
    _child: Child | None = field(default=None, init=False, repr=False)
    _starting: asyncio.Task[str] | None = field(default=None, init=False, repr=False)
    _watching: asyncio.Task[None] | None = field(default=None, init=False, repr=False)
    _backoff: Backoff = field(default_factory=Backoff, init=False, repr=False)
    _not_before: float = field(default=0.0, init=False, repr=False)
    _serving_since: float = field(default=0.0, init=False, repr=False)
    _failure: EdgewiseError | None = field(default=None, init=False, repr=False)
    _closing: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    @classmethod
    def of(cls, name: str, *, root: Path | None = None) -> EmbeddedRuntime:
        """The runtime of a known model, with the template and temperature that suit it.

        Its file may still be missing; then `url` says so. Raises `AssetError` where no chat model has that
        name.
        """
        asset = assets.KNOWN.get(name)
        if asset is None or not asset.files[0].name.endswith(".gguf"):
            chat = (a.name for a in assets.KNOWN.values() if a.files[0].name.endswith(".gguf"))
            raise AssetError(f"There is no embedded chat model '{name}'; there is {' and '.join(chat)}.")
        file = assets.folder(name, root) / asset.files[0].name
        return cls(file, name, chat_template=asset.chat_template, temperature=asset.temperature)

    async def url(self) -> str:
        """The base URL (".../v1") of the running model; starts it where it is not running.

        Any number of callers share one start, and one that is cancelled does not spoil it for the others.
        Raises `MissingExtra` without xllamacpp, `AssetError` for a model file that is absent or torn,
        `UpstreamTimeout` or `UpstreamUnreachable` where the process does not come up or keeps dying.
        """
        if self._child is not None and self._child.alive and self._child.report.url:
            return self._child.report.url
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_retrieved)
        return await asyncio.shield(self._starting)

    async def aclose(self) -> None:
        """End the process, if there is one, by force after three seconds. For good."""
        self._closing.set()
        if self._watching is not None:
            self._watching.cancel()
        if self._child is not None:
            await self._child.end()
        if self._starting is not None:
            await asyncio.wait([self._starting])
        if self._child is not None:  # it was just being started
            await self._child.end()

    @property
    def pid(self) -> int | None:
        """The process id of the running child."""
        return self._child.process.pid if self._child is not None and self._child.alive else None

    async def loaded(self) -> bool:
        """Whether the model is in memory now."""
        return self._child is not None and self._child.alive and bool(self._child.report.url)

    @property
    def context_tokens(self) -> int | None:
        """Tokens that one request may really use, prompt and answer; None until the model has started."""
        return (self._child.report.context_tokens or None) if self._child is not None else None

    async def _start(self) -> str:
        self._bury()
        await self._hold_back()
        if not self._closing.is_set():
            await self._bring_up()
        if self._closing.is_set() or self._child is None:
            raise self._stopped()
        return self._child.report.url

    async def _bring_up(self) -> None:
        """Start a child and wait until it serves; note a failure for the next start."""
        if not self.model_path.is_file():
            raise AssetError(f"{self.model_path} is not there; run: edgewise models pull {self.alias}")
        self.starts += 1
        loop = asyncio.get_running_loop()
        try:
            self._child = await Child.spawn(self._launch())
            if not self._closing.is_set():
                await self._child.serving()
        except EdgewiseError as error:
            if self._closing.is_set():
                raise self._stopped() from None
            self._child, self._failure = None, error
            self._backoff.died(0)
            self._not_before = loop.time() + self._backoff.delay_s
            raise
        self._failure, self._serving_since = None, loop.time()
        if self._watching is not None:
            self._watching.cancel()
        self._watching = asyncio.create_task(self._watch(self._child))

    async def _watch(self, child: Child) -> None:
        """Kill a child that hangs: the calls that wait for it then fail, and the next finds a new one."""
        url, timeout_s = child.report.url, self.health_timeout_s
        ask = partial(answers, url, timeout_s=timeout_s)
        if await hangs(ask, every_s=self.health_every_s, alive=lambda: child.alive):
            await child.kill(f"did not answer twice within {timeout_s:g} s, and was killed")
            with suppress(EdgewiseError):  # whoever asks next hears of it
                await self.url()

    def _stopped(self) -> UpstreamUnreachable:
        return UpstreamUnreachable(f"{self.alias} has been stopped.")

    def _launch(self) -> Launch:
        return Launch(
            model_path=self.model_path,
            alias=self.alias,
            slots=self.slots,
            threads=self.threads,
            python=self.python,
            chat_template=self.chat_template,
            temperature=self.temperature,
            context=self.context,
            timeout_s=self.start_timeout_s,
        )

    def _bury(self) -> None:
        """Take note of a child that died while it served."""
        dead, self._child = self._child, None
        if dead is None:
            return
        ended_at = dead.ended_at or asyncio.get_running_loop().time()
        self._backoff.died(ended_at - self._serving_since)
        self._not_before = ended_at + self._backoff.delay_s
        code, words = dead.process.returncode, dead.last_words
        how = dead.verdict or f"died with code {code}"
        self._failure = UpstreamUnreachable(f"{self.alias} {how} ({words or 'without a word'}).")
        logger.warning("%s It is started again in %.1f s.", self._failure, self._backoff.delay_s)

    async def _hold_back(self) -> None:
        """Wait out a short backoff; refuse at once during a long one, so that a fallback gets its chance."""
        wait_s = self._not_before - asyncio.get_running_loop().time()
        if wait_s > PATIENCE_S and self._failure is not None:
            raise self._failure.with_traceback(None)
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._closing.wait()
            except TimeoutError:
                return


def _retrieved(task: asyncio.Task[str]) -> None:
    """Look at the outcome, so that asyncio does not complain where every caller has gone."""
    if not task.cancelled():
        task.exception()
