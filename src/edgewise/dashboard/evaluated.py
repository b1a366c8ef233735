"""What `edgewise evaluate` found of a bundle, where its report lies beside it or where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgewise.learning.evaluate import Report

FILE: Final = "evaluation.json"


def evaluation(folders: Iterable[Path]) -> Html:
    """The report of the first folder that has one (`edgewise evaluate DIR TABLE -o DIR` writes it there)."""
    for folder in folders:
        if (report := _read(folder / FILE)) is not None:
            return _told(report, folder)
    return h.p(
        "Whether it pays is not known here. ", h.code("edgewise evaluate DIR TABLE -o DIR"),
        " compares it with every baseline, with intervals; the report then stands here.",
        class_="quiet-text",
    )  # fmt: skip


def _read(path: Path) -> Report | None:
    from edgewise.learning.evaluate import Report  # noqa: PLC0415 - numpy is an extra

    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _told(report: Report, folder: Path) -> Html:
    from edgewise.learning.evaluate.show import rows  # noqa: PLC0415 - the same

    columns, measured = rows(report)
    told = f"{report.table}, {report.prompts:,} prompts, {report.kind}, objective {report.objective}."
    return joined(
        (
            h.p(h.strong(report.verdict)),
            h.p(report.leakage.sentence, " ", told, class_="note"),
            table(columns, measured, caption="What each policy realised", numbers=range(1, len(columns))),
            h.p("The whole report: ", h.code(str(folder / "evaluation.html")), class_="note"),
        )
    )
