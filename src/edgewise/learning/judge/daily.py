"""A purse that is filled again every day, and remembers over a restart what it has paid today."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from edgewise.learning.judge.purse import Purse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from edgewise.domain.candidates import Candidate

logger = logging.getLogger(__name__)
FILE: Final = "judge.json"


class _Spent(Struct):
    """What the file holds: a calendar day, and USD."""

    day: str
    usd: float


class DailyPurse(Purse):
    """`usd` for each calendar day in `time_zone`; what was spent today stands in the file `path`.

    All processes that use the file have one purse. A clock that is set back does not fill it again. Where the
    file cannot be written that is said once, and the day is counted in memory.
    """

    def __init__(
        self, usd: float, path: Path, *, time_zone: str = "UTC", clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(usd)
        self._path, self._zone, self._clock = path, ZoneInfo(time_zone), clock
        self._day = self._now()
        self._told = False
        kept = self._kept()
        if kept is not None and kept.day >= self._day:
            self._day, self.spent = kept.day, kept.usd

    def turned(self) -> bool:
        """Begin a new day if it has begun, and say whether it has."""
        today = self._now()
        if today <= self._day:
            return False
        self._day, self.spent = today, 0.0
        return True

    def set_aside(self, candidate: Candidate, input_tokens: int, output_tokens: int) -> float:
        """As `Purse` does, of today's money; until the call has ended it counts, also after a kill."""
        with self._shared():
            return super().set_aside(candidate, input_tokens, output_tokens)

    def settle(self, aside: float, cost_usd: float | None) -> None:
        """As `Purse` does, and write down what today came to."""
        with self._shared():
            super().settle(aside, cost_usd)

    @contextmanager
    def _shared(self) -> Generator[None]:
        """Today's money as all processes left it, and as this one leaves it to them."""
        with self._alone():
            self.turned()
            kept = self._kept()
            if kept is not None and kept.day >= self._day and not self._told:
                self._day, self.spent = kept.day, max(0.0, kept.usd - self._aside)
            before = self._total()
            yield
            if self._total() != before:
                self._keep()

    def _total(self) -> float:
        return self.spent + self._aside

    @contextmanager
    def _alone(self) -> Generator[None]:
        """While others who count the same money wait."""
        with ExitStack() as open_files:
            if sys.platform != "win32":
                import fcntl  # noqa: PLC0415 - not on every platform

                lock = self._path.with_name(f".{self._path.name}.lock")
                with suppress(OSError):  # then nobody waits: the file cannot be written either
                    fcntl.flock(open_files.enter_context(lock.open("a")), fcntl.LOCK_EX)
            yield

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), self._zone).date().isoformat()

    def _kept(self) -> _Spent | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Spent)
        except (OSError, msgspec.DecodeError):
            return None

    def _keep(self) -> None:
        aside = self._path.with_name(f".{self._path.name}.part")
        try:
            aside.write_bytes(msgspec.json.encode(_Spent(self._day, self._total())))
            aside.replace(self._path)
            self._told = False
        except OSError as error:
            if not self._told:
                logger.warning("%s cannot be written: %s.", self._path, error.strerror)
            self._told = True
