"""The published figure, measured: what each policy realised in quality, latency and utility, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgewise.learning.evaluate import Report

PANELS: Final = (("quality", "Quality"), ("latency_s", "Latency, s"), ("utility", "QoS"))
FEW: Final = 4
OURS, OTHERS, INK = "#0b6e4f", "#9fb3c8", "#1f2933"


def draw(report: Report, policies: Sequence[str], path: Path, *, title: str) -> None:
    """Write a PNG with one panel a measure and one bar a policy of the report, with 95 % intervals.

    A policy is named as the report names it ("learned", "always edge"). Raises TableError for one that the
    report does not have, and where the file cannot be written.
    """
    from edgewise.learning.drawing import canvas, png  # noqa: PLC0415 - it takes a second to load

    found = {policy.name: policy for policy in report.policies}
    for name in policies:
        if name not in found:
            raise TableError(f"The evaluation has no policy '{name}'; it has {', '.join(found)}.")
    figure = canvas(3.8, width=10.5)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    for place, (measure, label) in enumerate(PANELS, start=1):
        axes = figure.add_subplot(1, len(PANELS), place)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{label}, measured", loc="left", fontsize=10)
        for number, name in enumerate(policies):
            interval = getattr(found[name], measure)
            if interval is not None:
                _bar(axes, number, name, interval)
        slanted = {"rotation": 25, "ha": "right"} if len(policies) > FEW else {}
        axes.set_xticks(range(len(policies)), policies, fontsize=8, **slanted)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(figure))
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror}.") from error


def _bar(axes: Any, number: int, name: str, interval: Any) -> None:
    mean = interval.mean
    spread = [[max(0.0, mean - interval.low)], [max(0.0, interval.high - mean)]]
    colour = OURS if name.startswith("learned") else OTHERS
    axes.bar([number], [mean], yerr=spread, color=colour, ecolor=INK, capsize=4)
    axes.text(number, interval.high, f"{mean:.3g}", ha="center", va="bottom", fontsize=8, color=INK)
