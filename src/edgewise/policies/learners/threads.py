"""One thread for linear algebra: sums then have one order, so that the same training gives the same bytes.

A second thread gains next to nothing at these sizes and doubles the CPU time.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def one_thread() -> Generator[None]:
    """While it lasts, BLAS uses one thread in this process."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _controller() -> Any:
    import_module("numpy")  # its BLAS must be loaded before it is looked for
    return ThreadpoolController()
