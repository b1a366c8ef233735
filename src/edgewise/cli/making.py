"""Prompts that a configured candidate makes, from the command line: who it is, how far it is, Ctrl-C."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - a dataclass's field
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import typer

from edgewise.cli.console import err, out
from edgewise.cli.setup import run, settings_or_found
from edgewise.domain.errors import MissingExtra, UnknownModel
from edgewise.learning.prompts.kinds import USUAL, Kind, kind_of
from edgewise.settings import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.learning.prompts.generate import Structure, Wanted
    from edgewise.learning.prompts.growing import Growing
    from edgewise.settings import Settings

LINE_EVERY_S = 10.0
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Order:
    """What the command was told."""

    output: Path
    by: str
    number: int
    kinds: tuple[str, ...] = ()
    batch: int = 10
    concurrency: int = 4
    temperature: float = 0.9
    test: float = 0.2
    seed: int = 0


def make(order: Order, config: Path | None) -> None:
    """Have prompts made until the file holds what was ordered, or nothing new comes any more."""
    if find_spec("pydantic_ai") is None:
        raise MissingExtra("Making prompts", "pydantic-ai")
    from edgewise.learning.prompts.generate import Wanted  # noqa: PLC0415 - pydantic-ai is an extra
    from edgewise.learning.prompts.growing import Growing  # noqa: PLC0415 - numpy is an extra

    settings, _ = settings_or_found(config)
    candidate = _maker(settings, order.by)
    wanted = Wanted(
        order.number,
        _kinds(order.kinds, settings),
        f"generated:{candidate.id}",
        _structure(candidate),
        batch=order.batch,
        concurrency=order.concurrency,
        temperature=order.temperature,
        test=order.test,
        seed=order.seed,
    )
    with Growing(order.output) as file:
        if len(file):
            err(f"{order.output} holds {len(file):,} prompts already.")
        try:
            missing = run(_made(settings, candidate, file, wanted))
        except KeyboardInterrupt:
            err(
                f"\n{order.output} holds {len(file):,} of {order.number:,} prompts; the same command goes on."
            )
            raise typer.Exit(INTERRUPTED) from None
        _tell(order, file, missing)


def _tell(order: Order, file: Growing, missing: dict[str, int]) -> None:
    out(f"{order.output}: {len(file):,} prompts")
    if file.duplicates + file.near:
        err(f"Not taken: duplicates {file.duplicates:,}, near-duplicates {file.near:,}.")
    for kind, count in missing.items():
        err(
            f"{order.by} has nothing new of the kind '{kind}' any more: {count:,} are missing. Another "
            "candidate, a higher --temperature or a wider description may yield more."
        )


async def _made(settings: Settings, maker: Candidate, file: Growing, wanted: Wanted) -> dict[str, int]:
    from edgewise.integrations.pydantic_ai import RoutedModel  # noqa: PLC0415 - pydantic-ai is an extra
    from edgewise.learning.prompts.generate import generate  # noqa: PLC0415 - the same
    from edgewise.library import Router  # noqa: PLC0415 - the same

    # What it is told is nobody's prompt: `edgewise prompts sample` must not find it in the log.
    silent = msgspec.structs.replace(settings.store, prompts="none")
    async with Router(msgspec.structs.replace(settings, store=silent)) as router:
        with _watching(wanted.count, len(file)) as told:
            return await generate(RoutedModel(router, model=maker.id), file, wanted, told)


def _maker(settings: Settings, name: str) -> Candidate:
    known = {c.id: describe(c) for c in settings.candidates if c.kind == "chat"}
    if name not in known:
        raise UnknownModel(
            f"There is no candidate '{name[:100]}' to make prompts; there are {', '.join(known)}."
        )
    return known[name]


def _structure(maker: Candidate) -> Structure:
    if maker.capabilities.json_schema:
        return "native"
    return "tool" if maker.capabilities.tools else "prompted"


def _kinds(said: Sequence[str], settings: Settings) -> tuple[Kind, ...]:
    """The kinds of the command line, else those of the configuration, else the usual ones."""
    configured = [Kind(name, kind.description, kind.share) for name, kind in settings.prompts.kinds.items()]
    return tuple(map(kind_of, said)) or tuple(configured) or USUAL


@contextmanager
def _watching(total: int, begun: int) -> Generator[Callable[[int], None]]:
    """A bar on a terminal, elsewhere a line now and then; what it yields takes how many there are."""
    if not sys.stderr.isatty():
        last = monotonic()

        def said(count: int) -> None:
            nonlocal last
            if monotonic() - last >= LINE_EVERY_S:
                last = monotonic()
                err(f"{count:,} of {total:,} prompts")

        yield said
        return
    from rich.console import Console  # noqa: PLC0415 - drawn on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415 - the same

    columns = ("prompts", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, completed=begun)

        def drawn(count: int) -> None:
            bar.update(task, completed=count)

        yield drawn
