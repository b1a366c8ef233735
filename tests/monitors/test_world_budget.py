"""A budget that nobody can account for is not kept by guessing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edgewise.domain.errors import StoreError
from edgewise.monitors import World
from edgewise.outcomes import LogReader
from edgewise.settings import Settings
from edgewise.settings.schema import BudgetSettings, SignalsSettings

QUIET = SignalsSettings(enabled=False)


def opened(usd_per_day: float | None, log: Path) -> None:
    async def main() -> None:
        settings = Settings(budget=BudgetSettings(usd_per_day=usd_per_day), signals=QUIET)
        world = World(settings, ())
        try:
            world.open(LogReader(log))
        finally:
            await world.aclose()

    asyncio.run(main())


def test_a_log_that_cannot_be_read_is_no_day_without_costs(tmp_path: Path) -> None:
    log = tmp_path / "torn.sqlite"
    log.write_bytes(b"torn" * 1000)
    opened(None, log)
    with pytest.raises(StoreError):
        opened(1.0, log)


def test_where_there_is_no_log_nothing_was_spent(tmp_path: Path) -> None:
    opened(1.0, tmp_path / "none.sqlite")
