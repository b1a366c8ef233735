"""The search for the smallest model that knows enough: which ways there are, and which one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgewise.domain.errors import BundleError
from edgewise.learning.distill.compressing import RECIPES
from edgewise.learning.distill.stages import FULL
from edgewise.learning.distill.students import CUT, LAYERS, STATIC, Students

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edgewise.learning.distill.stages import Work
    from edgewise.learning.distill.state import Finished
    from edgewise.upstreams.classifier import ClassifierManifest
# What a measured time moves by itself: less than that must not decide which model the same seed gives.
NOISE, NOISE_MS = 0.1, 1.0


class Recipe(NamedTuple):
    """One way to a smaller model: what is made smaller, and how its weights are written."""

    source: str
    bits: str

    @property
    def name(self) -> str:
        """As the manifest says it, and the folder: `int4` of the full model, else `cut-int4`."""
        return self.bits if self.source == FULL else f"{self.source}-{self.bits}"


def searched(work: Work, tuned: Finished, full: Finished) -> tuple[str, ...]:
    """Run every recipe, each in a stage of its own; gives back the names of their bundles."""
    names: list[str] = []
    for source, made in _sources(work, tuned, full):
        for bits in RECIPES:
            recipe = Recipe(source, bits)
            try:
                work.compressed(recipe.name, source, bits, [made.key, full.key])
            except BundleError as error:  # a shape that this onnxruntime cannot do with so few bits
                work.say(f"{recipe.name} left out: {error}")
            else:
                names.append(recipe.name)
    return tuple(names)


def _sources(work: Work, tuned: Finished, full: Finished) -> Iterator[tuple[str, Finished]]:
    yield FULL, full
    students = Students(work, tuned)
    cut = students.cut()
    yield CUT, cut
    for layers in work.options.teaching.layers:
        made = students.shallow(layers, cut)
        if made is not None:
            yield f"{LAYERS}{layers}", made
    if work.options.teaching.static:
        yield STATIC, students.static(cut)


def smallest(found: Mapping[str, ClassifierManifest], keep: float, say: Callable[[str], None]) -> str:
    """The smallest bundle, by name, that keeps this share of the full one's accuracy on the validation part.

    One that is clearly slower than the full model comes after all that are not. A student is another model,
    and one of several: its share must be kept with a standard error to spare.
    """
    full = found[FULL].metrics

    def rank(name: str) -> tuple[bool, int]:
        metrics = found[name].metrics
        slower_ms = metrics["cpu_ms"]["p50"] - full["cpu_ms"]["p50"]
        slower = slower_ms > max(NOISE_MS, NOISE * full["cpu_ms"]["p50"])
        return slower, int(metrics["bytes"])

    def kept(name: str) -> float:
        metrics, whole = found[name].metrics, full["validation"]["accuracy"]
        spare = metrics["paired_error"] if name.startswith((LAYERS, STATIC)) else 0.0
        return float((metrics["validation"]["accuracy"] - spare) / whole) if whole else 1.0

    chosen = next(name for name in sorted(found, key=rank) if name == FULL or kept(name) >= keep)
    if chosen == FULL:
        say(f"No compressed model keeps {keep:.1%} of the accuracy on the validation part; it stays {FULL}.")
        texts = full["validation"]["texts"]
        if texts * full["validation"]["accuracy"] * (1 - keep) < 1:
            say(f"Of its {texts:,} texts a single one is more than that: give more rows, or a lower --keep.")
    return chosen
