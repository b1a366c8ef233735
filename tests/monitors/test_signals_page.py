from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from edgewise.settings import load
from edgewise.settings.levels import LEVELS, PLAIN, Band
from edgewise.settings.signals import INTERVALS

PAGE = (Path(__file__).parents[2] / "docs" / "signals.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_python_prints_what_it_says() -> None:
    (code,) = blocks("python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/signals.md", "exec"), {"__name__": "page"})  # noqa: S102 - our own page
    assert printed.getvalue().splitlines() == re.findall(r"^#> (.*)$", code, re.MULTILINE)


@pytest.mark.parametrize("example", blocks("toml"))
def test_the_settings_load(example: str, tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(example)
    load(file, {})


def test_the_levels_are_the_defaults() -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| ((?:never|[\d.]+, [\d.]+) \| .*) \|$", PAGE, re.MULTILINE))
    expected = {}
    for name, level in LEVELS.items():
        if level.constrained is None and level.critical is None:
            continue
        smoothing = f"{level.smoothing_s:g} s" if level.smoothing_s else ""
        expected[name] = f"{_shown(level.constrained)} | {_shown(level.critical)} | {smoothing}".rstrip()
        assert level.dwell_s == PLAIN.dwell_s == 5.0
    assert {name: row.rstrip() for name, row in shown.items()} == expected


def _shown(band: Band | None) -> str:
    return "never" if band is None else f"{band.enter:g}, {band.leave:g}"


def test_the_monitors_and_their_intervals() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) s \|", PAGE, re.MULTILINE))
    assert {name: float(seconds) for name, seconds in rows.items()} == INTERVALS
