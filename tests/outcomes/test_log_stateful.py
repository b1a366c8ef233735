"""Any order of appending, trouble, recovery, reopening and death: what was acknowledged is read, and once."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Decision
from edgewise.outcomes import LogReader, SqliteLog, writer

TROUBLES = (
    sqlite3.OperationalError("database or disk is full"),
    sqlite3.OperationalError("database is locked"),
    sqlite3.OperationalError("disk I/O error"),
    MemoryError(),
)
MOST_WAITING = 12


class LogMachine(RuleBasedStateMachine):
    """`kept` must be in the log, whatever comes; `maybe` may be: acknowledged from memory, or failed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="edgewise-log-"))
        self.path = self.folder / "log.sqlite"
        self.kept: dict[str, Decision] = {}
        self.ended: set[str] = set()
        self.maybe: dict[str, Decision] = {}
        self.unsure: dict[str, Decision] = {}  # of a log that lost something, and was closed
        self.trouble: Exception | None = None
        self.after = False
        self.patch = pytest.MonkeyPatch()
        self.runner = asyncio.Runner()
        write, probe = writer.write, writer.probe
        self.patch.setattr(writer, "write", self._troubled(write))
        self.patch.setattr(writer, "probe", self._troubled(probe))
        self.patch.setattr(writer, "RETRY_S", 0.001)

    def _troubled(self, call: Any) -> Any:
        def troubled(*arguments: Any) -> None:
            if self.trouble is not None and not self.after:
                raise self.trouble
            call(*arguments)
            if self.trouble is not None:  # written, and yet the disk says no
                raise self.trouble

        return troubled

    @initialize(serves=st.booleans())
    def begin(self, *, serves: bool) -> None:
        self.serves = serves
        self.open()

    def open(self) -> None:
        how: Literal["serve", "refuse"] = "serve" if self.serves else "refuse"
        self.log = SqliteLog(self.path, on_failure=how, most_waiting=MOST_WAITING, patience_s=0.3)
        self.runner.run(self.log.open())

    @rule(count=st.integers(1, 8), together=st.booleans())
    def append(self, count: int, *, together: bool) -> None:
        """Decisions and their outcomes, in one call or in two."""
        asked = [decision() for _ in range(count)]

        async def work() -> list[Any]:
            waiting: list[Awaitable[None]] = []
            for one in asked:
                if together:
                    waiting.append(self.log.append(one, outcome(one)))
                else:
                    waiting += [self.log.append(one), self.log.append(outcome(one))]
            return await asyncio.gather(*waiting, return_exceptions=True)

        was_well = self.trouble is None and self.log.problem is None
        lost_before = self.log.lost
        results = self.runner.run(work())
        is_well = self.log.problem is None and self.log.backlog == 0 and self.log.lost == lost_before
        certain = was_well and is_well and all(found is None for found in results)
        (self.kept if certain else self.maybe).update((one.id, one) for one in asked)
        if certain:
            self.ended |= {one.id for one in asked}

    @rule(which=st.sampled_from(TROUBLES), after=st.booleans())
    def fail(self, which: Exception, *, after: bool) -> None:
        self.trouble, self.after = which, after

    @rule()
    def recover(self) -> None:
        self.trouble = None

        async def settled() -> None:
            async with asyncio.timeout(30):
                while self.log.problem is not None or self.log.backlog:  # noqa: ASYNC110 - a thread sets it
                    await asyncio.sleep(0.001)

        self.runner.run(settled())
        if self.serves and self.log.lost == 0:  # nothing overflowed: all that waited in memory is there
            self.kept.update(self.maybe)
            self.ended |= set(self.maybe)
            self.maybe.clear()

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.log.aclose())
        if self.log.lost:
            self.unsure.update(self.maybe)
            self.maybe.clear()
        self.open()

    @precondition(lambda self: self.trouble is None)
    @rule()
    def die(self) -> None:
        """What a killed process leaves behind: the files as they are at this moment."""
        left = self.folder / "left"
        left.mkdir()
        for file in self.path.parent.glob("log.sqlite*"):
            shutil.copy(file, left / file.name)
        try:
            self.check(left / "log.sqlite")
        finally:
            shutil.rmtree(left)

    @invariant()
    def acknowledged_is_read_once(self) -> None:
        if self.path.exists():
            self.check(self.path)

    def check(self, path: Path) -> None:
        with closing(LogReader(path)) as reader:
            stories = list(reader.stories())
        found = {story.decision.id: story for story in stories}
        assert len(found) == len(stories)
        assert set(self.kept) <= set(found), "acknowledged, and not in the log"
        known = self.kept.keys() | self.maybe.keys() | self.unsure.keys()
        assert set(found) <= known, "in the log, and never asked for"
        for identity in self.kept:
            assert found[identity].decision == self.kept[identity]
        for identity in self.ended:
            assert found[identity].outcome is not None

    def teardown(self) -> None:
        self.trouble = None
        try:
            if hasattr(self, "log"):
                self.runner.run(self.log.aclose())
                self.acknowledged_is_read_once()
        finally:
            self.runner.close()
            self.patch.undo()
            shutil.rmtree(self.folder, ignore_errors=True)


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
