"""Run `edgewise` in this process, over a log that is filled as told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgewise import cli
from edgewise.domain.decisions import Record
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write


def fill(path: Path, *records: Record) -> None:
    connection = connect(path)
    for record in records:
        write(connection, [(None, (record,))])
    connection.close()


def edgewise(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code."""
    monkeypatch.setattr(sys, "argv", ["edgewise", *words])
    monkeypatch.setattr(cli, "_leave", sys.exit)  # the real one may end the whole process, tests and all
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
