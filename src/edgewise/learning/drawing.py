"""What all pictures of the learning side share: a figure, and its bytes."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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
