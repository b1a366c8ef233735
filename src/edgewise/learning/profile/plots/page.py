"""A profile as files: pictures, and one page that answers when one points at a call."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError
from edgewise.learning.pages import inside
from edgewise.learning.profile.plots.chart import Axis, Dot, chart
from edgewise.learning.profile.plots.pictures import PLACES, colour_of, pictures, shares
from edgewise.learning.profile.plots.points import MOST, points_in
from edgewise.learning.profile.summary import rows_in, summed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgewise.learning.profile.plots.points import Point
    from edgewise.learning.profile.summary import Summary

PAGE = "profile.html"
SMALL, LARGE = 3.0, 13.0  # pixels of a bubble's radius
PLAIN = 4.5
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 72rem }
body { padding: 0 1rem }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #d9e2ec; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
img, svg { max-width: 100%; display: block; margin: 1rem 0 }
svg { font-size: 12px } svg line { stroke: #e4e7eb } svg .title { font-size: 14px; font-weight: 600 }
svg .mid { text-anchor: middle } svg .end { text-anchor: end }
circle { fill-opacity: .55; stroke: #1f2933; stroke-width: .4 } circle[data-says]:hover { fill-opacity: 1 }
#says { position: fixed; display: none; max-width: 28rem; background: #fff; border: 1px solid #9fb3c8 }
#says { padding: .4rem .6rem; font-size: 12px; white-space: pre-wrap; pointer-events: none }
"""
SCRIPT = """
const box = document.getElementById("says");
for (const dot of document.querySelectorAll("circle[data-says]")) {
  dot.querySelector("title").remove();
  dot.addEventListener("mousemove", (event) => {
    box.textContent = dot.dataset.says;
    box.style.display = "block";
    box.style.left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8) + "px";
    box.style.top = Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8) + "px";
  });
  dot.addEventListener("mouseleave", () => { box.style.display = "none"; });
}
"""


def draw(place: Path, folder: Path) -> list[str]:
    """Draw a profile's folder or a judged table into `folder`; returns the files' names.

    What needs a quality is drawn once there is one. Raises `StoreError` where something cannot be read or
    written.
    """
    points = points_in(place)
    drawn = pictures(points)
    files = {f"{name}.png": raw for name, raw in drawn.items()}
    files[PAGE] = page(place.name, points, summed(rows_in(place)), drawn).encode("utf-8", "replace")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, raw in files.items():
            (folder / name).write_bytes(raw)
    except OSError as error:
        raise StoreError(f"The pictures cannot be written to {folder}: {error.strerror or error}.") from error
    return sorted(files)


def page(name: str, points: Sequence[Point], summaries: Sequence[Summary], drawn: dict[str, bytes]) -> str:
    """One HTML page with everything inside; it asks no server for anything."""
    images = inside({each: drawn[each] for each in ("latency", "quality") if each in drawn})
    judged = [p for p in points if p.status == "ok" and p.quality is not None and p.latency_s is not None]
    charts = "\n".join((_scatter(judged), _bubbles(judged))) if judged else "<p>Nothing was judged yet.</p>"
    sample = f" The pictures show {MOST:,} calls, drawn at random." if len(points) == MOST else ""
    title = f"Profile {escape(name)}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>Everything here was measured.{sample} Point at a call to read it.</p>
{_table(summaries)}
{charts}
{images}
<div id="says"></div><script>{SCRIPT}</script>
</body></html>
"""


def _scatter(points: Sequence[Point]) -> str:
    names = sorted({p.candidate for p in points})
    dots = [
        Dot(p.latency_s or 0.0, p.quality or 0.0, PLAIN, colour_of(p.candidate, names), _says(p))
        for p in points
    ]
    legend = [(name, colour_of(name, names)) for name in names]
    slowest = max(p.latency_s or 0.0 for p in points) or 1.0
    return chart(
        "Latency and quality of each answer",
        Axis("latency, s", slowest * 1.05),
        Axis("quality", 1.05),
        dots,
        legend,
    )


def _bubbles(points: Sequence[Point]) -> str:
    dots = [
        Dot(
            p.quality or 0.0,
            1000 * (p.latency_s or 0.0),
            SMALL + share * (LARGE - SMALL),
            PLACES.get(p.location, PLACES["cloud"]),
            _says(p),
        )
        for p, share in zip(points, shares(points), strict=True)
    ]
    slowest = max(p.latency_s or 0.0 for p in points) or 1.0
    return chart(
        "Edge and cloud: each answer, as large as its QoS",
        Axis("quality", 1.05),
        Axis("latency, ms", slowest * 1050),
        dots,
        list(PLACES.items()),
    )


def _says(point: Point) -> str:
    qos = "" if point.qos is None else f", QoS {point.qos:.3g}"
    label = " (simulated)" if point.simulated else ""
    return (
        f"{point.candidate}{label} ({point.location})\n{1000 * (point.latency_s or 0):.0f} ms, "
        f"quality {point.quality:.2f}{qos}\n\n{point.prompt}\n\n→ {point.response or ''}"
    )


def _table(summaries: Sequence[Summary]) -> str:
    names = (
        "candidate",
        "calls",
        "ok",
        "failed",
        "lost",
        "median s",
        "p95 s",
        "first token s",
        "tokens",
        "USD",
    )
    rows = [
        (
            each.candidate,
            *(f"{count:,}" for count in (each.calls, each.ok, each.failed, each.lost)),
            *(
                "" if value is None else f"{value:.3g}"
                for value in (each.latency_s, each.latency_p95_s, each.ttft_s, each.output_tokens)
            ),
            f"{each.cost_usd:.4f}",
        )
        for each in summaries
    ]
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
