"""What is around a drawing: its title, what the colours mean, its values as a table, and ways to keep it."""

from __future__ import annotations

import re
from typing import Final

from edgewise.dashboard.html import Child, Html, h

NAME: Final = re.compile(r"[^a-z0-9]+")


def figure(title: str, svg: Html, data: Html, *, legend: Child = None, readout: bool = False) -> Html:
    """The drawing `svg` with its table. With `readout`, pointer and arrow keys read the table's rows.

    The drawing then has one step a row, all of the same width, from left to right.
    """
    name = NAME.sub("-", title.lower()).strip("-")
    saving = h.span(
        h.button("CSV", type="button", class_="quiet", data_save="csv", aria_label=f"Save {title} as CSV"),
        h.button("PNG", type="button", class_="quiet", data_save="png", aria_label=f"Save {title} as PNG"),
        class_="save",
    )
    told = "Its values are in the table below it; the arrow keys read them one by one." if readout else ""
    plot = h.div(
        svg,
        class_="plot",
        tabindex="0" if readout else None,
        role="img",
        aria_label=f"{title}. {told}".strip(),
    )
    return h.figure(
        h.figcaption(h.h3(title), h.span(legend, class_="legend") if legend is not None else None),
        plot,
        h.p("", class_="readout", aria_live="polite") if readout else None,
        h.div(h.details(h.summary("Table"), data), saving, class_="below"),
        class_="chart",
        data_title=title,
        data_name=name,
    )
