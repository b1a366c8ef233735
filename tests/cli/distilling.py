"""`edgewise distill` in this process: torch is loaded once, and not for each command."""

from __future__ import annotations

import warnings
from contextlib import chdir
from pathlib import Path

import typer
from typer.testing import CliRunner

from edgewise.cli.distill import command


def distilled(*words: str, cwd: Path) -> tuple[str, str]:
    """Run `edgewise distill WORDS` in this folder, on one thread; what it wrote to output and to error."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    with chdir(cwd), warnings.catch_warnings():
        warnings.simplefilter("default")  # torch and its kin warn about themselves
        ran = CliRunner().invoke(app, [*words, "--threads", "1"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.stderr
    return ran.stdout, ran.stderr
