"""Rows → what a picture shows of them: numbers, and the beginnings of texts."""

from __future__ import annotations

from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from edgewise.domain.objectives import Measured, Objective
from edgewise.learning.profile.journal import OUTCOMES, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 4_000  # points in a picture; of more a random sample is drawn
EXCERPT = 200
NEUTRAL = 5.0


class Point(Struct, frozen=True, kw_only=True):
    """One call. `quality` 0-1 and `qos` are None where nobody judged it; `latency_s` of a whole answer."""

    candidate: str
    location: str = ""
    prompt: str = ""
    response: str | None = None
    status: str = "ok"
    simulated: bool = False
    latency_s: float | None = None
    quality: float | None = None
    mission_criticality: float | None = None
    time_criticality: float | None = None
    qos: float | None = None
    repeat: int = 0


def points_in(place: Path) -> list[Point]:
    """The calls of a profile's folder or of a judged table (JSON lines): at most `MOST`, drawn by hash.

    Raises `StoreError` where a row is damaged.
    """
    kept: list[tuple[int, int, Point]] = []
    for number, row in enumerate(_rows(place)):
        draw = int.from_bytes(
            blake2b(f"{row.prompt}\0{row.repeat}".encode("utf-8", "surrogatepass"), digest_size=7).digest()
        )
        entry = (-draw, number, _short(row))
        if len(kept) < MOST:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)
    return [point for _, _, point in sorted(kept, key=lambda entry: entry[1])]


def _rows(place: Path) -> Iterator[Point]:
    return lines(place / OUTCOMES if place.is_dir() else place, Point)


def _short(row: Point) -> Point:
    """The row with its texts cut, and with the QoS that follows from its quality and its latency."""
    qos = row.qos
    if qos is None and row.quality is not None and row.latency_s is not None:
        mission = NEUTRAL if row.mission_criticality is None else row.mission_criticality
        time = NEUTRAL if row.time_criticality is None else row.time_criticality
        measured = Measured(quality=row.quality, latency_s=row.latency_s, mission=mission, time=time)
        qos = float(Objective().utility(measured))
    return msgspec.structs.replace(
        row, prompt=_cut(row.prompt), response=None if row.response is None else _cut(row.response), qos=qos
    )


def _cut(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"
