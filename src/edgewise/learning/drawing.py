"""What all pictures and pages of the learning side share: a figure, its bytes, and where they stand."""

from __future__ import annotations

import warnings
from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

DPI = 110
WIDTH = 8.0


def canvas(height: float, width: float = WIDTH) -> Any:
    """An empty figure, in inches."""
    figure: Any = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def figure_and_axes(height: float) -> tuple[Any, Any]:
    """A figure with one pair of axes, without a frame above and to the right."""
    figure = canvas(height)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def png(figure: Any) -> bytes:
    """The picture's bytes: without a date, so that the same figures give the same file."""
    held = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names in a script that the font lacks are drawn as boxes
        figure.savefig(held, format="png", dpi=DPI, metadata={"Software": None})
    return held.getvalue()


def inside(pictures: Mapping[str, bytes]) -> str:
    """HTML with the PNG files by name in it, so that a page asks no server for them."""
    return "\n".join(
        f'<img alt="{escape(name)}" src="data:image/png;base64,{b64encode(raw).decode()}">'
        for name, raw in pictures.items()
    )
