"""What a frontier is drawn from, where prompts are as long as books."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.dashboard import forecasts

from edgewise.outcomes import LogReader
from edgewise.outcomes.foreseen import KEY


def test_of_a_long_prompt_only_its_beginning_is_held(tmp_path: Path) -> None:
    path = tmp_path / "edgewise.sqlite"
    forecasts.write(path, 1_000.0, decisions=20)
    with closing(sqlite3.connect(path)) as log, log:
        log.execute("UPDATE decisions SET prompt = prompt || ?", ("é" * 1_000_000,))
    with closing(LogReader(path)) as reader:
        found = reader.foreseen(100)
        assert len(found) == 20
        assert all(len(one.key) == KEY for one in found)
