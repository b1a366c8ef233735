"""One file a page. The order of the navigation; a page that is not built is not shown.

A new page is a file `pages/NAME.py` with `PAGE = Page(…)`, and its name in `ORDER`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from edgewise.dashboard.page import Page

ORDER: Final = (
    "now",
    "decisions",
    "frontier",
    "try_it",
    "policies",
    "learning",
    "edge",
    "money",
    "privacy",
)


@cache
def pages() -> tuple[Page, ...]:
    """The pages that are built, in the order of the navigation."""
    names = [f"{__name__}.{name}" for name in ORDER]
    found = [import_module(name).PAGE for name in names if find_spec(name) is not None]
    return tuple(page for page in found if isinstance(page, Page))
