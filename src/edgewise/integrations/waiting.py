"""An answer waited for: the way to `asking.py` for frameworks whose code is synchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from edgewise.integrations.answers import Answered
    from edgewise.integrations.asking import Asking
    from edgewise.library import Router


def whole(router: Router, asking: Asking) -> Answered:
    """The whole answer. Raises EdgewiseError."""
    return router.waited(asking.whole())


def events(router: Router, asking: Asking) -> Iterator[Answered]:
    """The answer as it comes; whoever stops listening hangs up. Raises EdgewiseError."""
    router.waited(asking.begin())
    coming = asking.events()
    try:
        while (event := router.waited(_next(coming))) is not None:
            yield event
    finally:
        router.waited(_ended(coming, asking))


async def _next(coming: AsyncGenerator[Answered, None]) -> Answered | None:
    return await anext(coming, None)


async def _ended(coming: AsyncGenerator[Answered, None], asking: Asking) -> None:
    await coming.aclose()
    await asking.aclose()
