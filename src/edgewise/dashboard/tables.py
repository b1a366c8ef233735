"""Tables: numbers right, texts left, and a row that leads somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.dashboard.html import Child, Html, h

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(  # noqa: PLR0913 - the columns, the rows, and how they are shown
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    caption: str,
    numbers: Iterable[int] = (),
    id_: str | None = None,
    hidden_caption: bool = True,
    rows_html: Child = None,
) -> Html:
    """A table whose first cell heads its row. `numbers` are the places of the columns that hold numbers.

    `rows_html` are further rows that `row` made. It scrolls within itself where it is wider than the screen.
    """
    right = frozenset(numbers)
    head = h.tr([h.th(name, scope="col", class_=_side(at, right)) for at, name in enumerate(columns)])
    body = [row(cells, numbers=right) for cells in rows]
    drawn = h.table(
        h.caption(caption, class_="unseen" if hidden_caption else None),
        h.thead(head),
        h.tbody(body, rows_html, id=id_),
    )
    return h.div(drawn, class_="scroll", tabindex="0", role="region", aria_label=caption)


def row(
    cells: Sequence[Child], *, numbers: Iterable[int] = (), id_: str | None = None, mark: str = ""
) -> Html:
    """One row; `mark` is a class of it."""
    right = frozenset(numbers)
    drawn = [
        h.th(cell, scope="row", class_=_side(at, right)) if at == 0 else h.td(cell, class_=_side(at, right))
        for at, cell in enumerate(cells)
    ]
    return h.tr(drawn, id=id_, class_=mark or None)


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Names and what they are, in two columns; pairs without a value are left out."""
    shown = [(h.dt(name), h.dd(value)) for name, value in pairs if value is not None and value != ""]
    return h.dl([h.div(pair) for pair in shown], class_="facts")


def _side(at: int, right: frozenset[int]) -> str | None:
    return "number" if at in right else None
