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


def one_thread_from_now_on() -> None:
    """Let BLAS use one thread in this process until it ends: for one that serves, at no cost a request.

    At 1,536 numbers a vector (endpoints have such), a second thread on a busy core made one product of a
    decision take six times the CPU; up to 384 numbers it is not used for a single prompt.
    """
    _controller().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _controller() -> Any:
    import_module("numpy")  # its BLAS must be loaded before it is looked for
    return ThreadpoolController()
