"""One child process with a model in it: starting it, its last words, ending it."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import (
    AssetError,
    EdgewiseError,
    MissingExtra,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from edgewise.upstreams.embedded.child import BAD_MODEL, NO_RUNTIME

if TYPE_CHECKING:
    from asyncio.subprocess import Process

CHILD = Path(__file__).with_name("child.py")
GRACE_S = 3.0
LAST_WORDS = 2000
_LOG_PREFIX = re.compile(r"^[\d.]+ [A-Z] +(\S+ +)?\S+: +", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a child is started with. `context` is tokens a slot; a template of None keeps the model's own."""

    model_path: Path
    alias: str
    slots: int
    threads: int
    python: str
    chat_template: str | None
    temperature: float | None
    context: int
    timeout_s: float

    @property
    def command(self) -> list[str]:
        """The command line. `-P`: nothing that lies in the working folder is imported."""
        options = {
            "model": self.model_path,
            "alias": self.alias,
            "slots": self.slots,
            "threads": self.threads,
            "context": self.context,
            "chat-template": self.chat_template,
            "temperature": self.temperature,
            "parent": os.getpid(),
        }
        given = (f"--{name}={value}" for name, value in options.items() if value is not None)
        return [self.python, "-P", str(CHILD), *given]


class Report(msgspec.Struct, frozen=True):
    """What a child says once it serves: its base URL (".../v1") and its real limits."""

    url: str
    context_tokens: int
    slots: int


class Child:
    """A process with a model: `spawn` it, wait for it to be `serving`, and `end` it."""

    def __init__(self, launch: Launch, process: Process) -> None:
        self.launch, self.process = launch, process
        self.report = Report("", 0, 0)
        self.ended_at: float | None = None
        self.verdict = ""
        self._words = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def spawn(cls, launch: Launch) -> Child:
        """Start the process, without waiting for it to serve."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.command, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            raise UpstreamUnreachable(
                f"{launch.alias}: {launch.python} could not be started ({error.strerror})."
            ) from error
        return cls(launch, process)

    async def serving(self) -> None:
        """Wait until it serves. On failure the process is ended and the reason raised."""
        try:
            async with asyncio.timeout(self.launch.timeout_s):
                line = await self.process.stdout.readline() if self.process.stdout else b""
            self.report = msgspec.json.decode(line, type=Report)
        except TimeoutError:
            await self.end()
            raise UpstreamTimeout(
                f"{self.launch.alias} did not start within {self.launch.timeout_s:g} s{self._quoted()}."
            ) from None
        except msgspec.DecodeError:
            await self._gone()  # it closed its output by ending: its exit code is the answer
            await self.end()
            raise self._reason() from None
        except asyncio.CancelledError:
            await self.end()
            raise

    @property
    def alive(self) -> bool:
        """Whether the process is there, as far as the event loop has heard."""
        return self.process.returncode is None

    @property
    def last_words(self) -> str:
        """The end of its standard error, without the runtime's clock and function names."""
        text = self._words.decode(errors="replace")
        return _LOG_PREFIX.sub("", text).strip()

    async def end(self) -> None:
        """End it: by closing its standard input, and with a kill if that takes more than three seconds.

        Not by a signal first: sent to a process that is just ending, it would cost its exit code.
        """
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not await self._gone():
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        await self._listening

    async def kill(self, verdict: str) -> None:
        """End it at once, for a reason that whoever asks it hears."""
        self.verdict = verdict
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._listening

    async def _gone(self) -> bool:
        """Whether it ends within the grace."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self.process.wait()
        return not self.alive

    async def _listen(self) -> None:
        """Drain standard error, keeping its end; it closes when the process is gone."""
        stderr = self.process.stderr
        while stderr is not None and (piece := await stderr.read(4096)):
            self._words = (self._words + piece)[-LAST_WORDS:]
        self.ended_at = asyncio.get_running_loop().time()

    def _reason(self) -> EdgewiseError:
        if self.process.returncode == NO_RUNTIME:
            return MissingExtra("the embedded edge model", "edge")
        if self.process.returncode == BAD_MODEL:
            why = self.last_words.partition("\n")[0]
            return AssetError(
                f"{self.launch.model_path} cannot be loaded as a GGUF model ({why}); "
                "run: edgewise models verify"
            )
        return UpstreamUnreachable(
            f"{self.launch.alias} ended while starting, with code {self.process.returncode}{self._quoted()}."
        )

    def _quoted(self) -> str:
        lines = self.last_words.splitlines()[-3:]
        return f"; it said: {' | '.join(lines).rstrip('.')}" if lines else ""
