"""When drift begins: train a candidate, in processes of its own, into a folder that nothing serves from."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from os import environ
from typing import TYPE_CHECKING, Final

import psutil

from edgewise.monitors.production.ending import ended, started
from edgewise.settings.alerts import DRIFT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import IO

    from edgewise.monitors.production.alerts import Change

    Steps = Callable[[Path], Sequence[Sequence[str]]]

logger = logging.getLogger("edgewise.alerts")
STAMP: Final = "%Y%m%dT%H%M%SZ"
DAY_S: Final = 86_400.0
MOST_S: Final = 6 * 3600.0
LOWEST: Final = 19  # niceness
BUNDLE, PRINTED = "bundle", "printed.txt"


class Retraining:
    """Hears of alerts; when one of drift begins, runs `steps`, one by one, in a new folder below `folder`.

    `steps` gives the programs and their arguments for that folder; what they print goes to a file there. They
    get the environment without the variables in `hidden`, one thread for linear algebra, the lowest priority
    and `MOST_S` seconds. A day passes between two beginnings, a restart or not; there is never more than one.
    """

    def __init__(self, folder: Path, steps: Steps, hidden: Sequence[str] = ()) -> None:
        self._folder, self._steps, self._hidden = folder, steps, tuple(hidden)
        self._busy = False

    async def __call__(self, change: Change, now: float) -> None:
        """Train, where this is the beginning of drift and the last time is long enough ago. Never raises."""
        if change.step != "began" or change.alert.figure not in DRIFT or self._busy:
            return
        self._busy = True
        try:
            if not await asyncio.to_thread(self._is_due, now):
                return
            await self._train(self._folder / time.strftime(STAMP, time.gmtime(now)), change.alert.name)
        except OSError as error:
            logger.error("No candidate could be trained for %s: %s", change.alert.name, error)  # noqa: TRY400 - one sentence is enough
        finally:
            self._busy = False

    async def _train(self, folder: Path, name: str) -> None:
        await asyncio.to_thread(folder.mkdir, parents=True, mode=0o700)
        logger.info("Training a candidate for %s in %s", name, folder)
        with (folder / PRINTED).open("wb") as printed:
            for words in self._steps(folder):
                code = await self._run(words, printed)
                if code != 0:
                    logger.error(
                        "No candidate was trained for %s: '%s' ended with code %s; see %s.",
                        name, " ".join(words[1:5]), code, folder / PRINTED,
                    )  # fmt: skip
                    return
        logger.warning(
            "A candidate was trained for %s: %s. Nothing serves it until `edgewise deploy` says so; "
            "`edgewise deploy %s --shadow 0.2` tries it first.",
            name, folder / BUNDLE, folder / BUNDLE,
        )  # fmt: skip

    async def _run(self, words: Sequence[str], printed: IO[bytes]) -> int | None:
        """The exit code; None where it took too long."""
        kept = {name: value for name, value in environ.items() if name not in self._hidden}
        process = await started(
            words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            env={**kept, "OMP_NUM_THREADS": "1"},
        )
        try:
            with suppress(psutil.Error):
                psutil.Process(process.pid).nice(LOWEST)
            async with asyncio.timeout(MOST_S):
                return await process.wait()
        except TimeoutError:
            return None
        finally:
            await ended(process)

    def _is_due(self, now: float) -> bool:
        """Whether the folder's latest beginning is a day ago: its name says when that was."""
        latest, tomorrow = (time.strftime(STAMP, time.gmtime(now + days * DAY_S)) for days in (-1, 1))
        names = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        begun = [name for name in names if len(name) == len(latest) and name[:1].isdigit()]
        return not any(latest < name <= tomorrow for name in begun)  # later ones: of a clock that was ahead
