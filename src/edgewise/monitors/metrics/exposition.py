"""Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from edgewise.monitors.metrics.names import HELP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgewise.monitors.metrics.spread import Spread

ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


UNLABELLED: Final[Mapping[str, str]] = {}


class Sample(NamedTuple):
    """One number; `suffix` is what a histogram adds to its family's name."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


class Family(NamedTuple):
    """Everything under one name; its kind and what it means stand in `HELP`."""

    name: str
    samples: Sequence[Sample]


def counted(name: str, found: Iterable[tuple[Mapping[str, str], float]]) -> Family:
    """A counter or a gauge."""
    return Family(name, [Sample(labels, value) for labels, value in found])


def single(name: str, *values: float) -> Family:
    """A number without labels, where there is one."""
    return Family(name, [Sample(UNLABELLED, value) for value in values])


def spread_out(name: str, found: Iterable[tuple[Mapping[str, str], Spread]]) -> Family:
    """A histogram, its buckets summed up as Prometheus wants them."""
    samples: list[Sample] = []
    for labels, spread in found:
        spread.settle()
        sums = list(accumulate(spread.counts))
        ends = (*(f"{bound:g}" for bound in spread.bounds), "+Inf")
        samples += [
            Sample({**labels, "le": end}, count, "_bucket") for end, count in zip(ends, sums, strict=True)
        ]
        samples += [Sample(labels, spread.total, "_sum"), Sample(labels, sums[-1], "_count")]
    return Family(name, samples)


def page(families: Iterable[Family]) -> bytes:
    """The whole answer. A family without a number is left out."""
    lines: list[str] = []
    for name, samples in families:
        if not samples:
            continue
        kind, said = HELP[name]
        lines += [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{s.suffix}{_labels(s.labels)} {_number(s.value)}" for s in samples]
    return ("\n".join(lines) + "\n").encode() if lines else b""


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{said.translate(ESCAPED)}"' for name, said in labels.items()) + "}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
