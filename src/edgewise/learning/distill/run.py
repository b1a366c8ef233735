"""All stages in the order in which they happen; each is kept on disk, and runs again only if need be."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import convert, to_builtins
from msgspec.structs import replace

from edgewise.learning.distill.benchmark import Benchmark
from edgewise.learning.distill.guarding import Guarding
from edgewise.learning.distill.report import report_on, write
from edgewise.learning.distill.searching import searched, smallest
from edgewise.learning.distill.stages import FULL, STAGES, Work
from edgewise.learning.distill.state import finished
from edgewise.upstreams.classifier import MANIFEST, ClassifierBundle
from edgewise.upstreams.classifier.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edgewise.learning.distill.benchmark import BundleFigures
    from edgewise.learning.distill.options import DistillOptions
    from edgewise.learning.distill.parts import Parts
    from edgewise.policies.cascade.placing import Placing
    from edgewise.upstreams.classifier import ClassifierManifest

    Say = Callable[[str], None]

ORDER: Final = ("adapt", "finetune", "export", "compress", "cascade", "benchmark", "report")
"""The stages by the names that `--stage` takes."""


@dataclass(frozen=True, slots=True)
class Distilled:
    """What came out: the bundle chosen, and every bundle there was to choose from, by recipe."""

    chosen: ClassifierManifest
    recipes: dict[str, ClassifierManifest]
    placing: Placing | None = None


def distill(  # noqa: PLR0913 - the last three are for those who want less, or more
    parts: Parts,
    output: Path,
    options: DistillOptions,
    say: Say,
    *,
    unlabelled: Sequence[str] = (),
    guarding: Guarding | None = None,
    until: str = ORDER[-1],
) -> Distilled | None:
    """From tables to a bundle in `output`: adapt, fine-tune, export, compress, guard, benchmark, report.

    Chosen is the smallest bundle that keeps `options.keep` of the full one's accuracy on the validation part.
    Every stage lies in `output/stages`, and is kept where nothing before it changed. It ends after the stage
    `until`; None where that is before there is a choice. Raises `MissingExtra` without the extra "distill",
    `AssetError` and `BundleError`.
    """
    last = ORDER.index(until)
    work = Work(parts, output / STAGES, options, say, unlabelled)
    if last == 0:
        work.adapted()
        return None
    tuned = work.tuned()
    if last < ORDER.index("export"):
        return None
    full = work.exported(tuned)
    if last < ORDER.index("compress"):
        return None
    names = (FULL, *searched(work, tuned, full))
    found = {name: ClassifierBundle.load(work.folder / name).manifest for name in names}
    chosen = smallest(found, options.keep, say)
    for name in (found[chosen].model, found[chosen].tokenizer, MANIFEST):  # the manifest last
        aside = output / f".{name}"
        shutil.copyfile(work.folder / chosen / name, aside)
        aside.replace(output / name)
    made = Distilled(found[chosen], found)
    if last >= ORDER.index("cascade"):
        guard = guarding or Guarding()
        placing = guard.guarded(output, work.folder, work.folder / FULL, parts.validation, say)
        made = Distilled(found[chosen], found, placing)
    if last >= ORDER.index("benchmark"):
        measured = convert(work.benchmarked(tuple(found)).facts, Benchmark)
        _add(output, measured.bundles[chosen])
        if last >= ORDER.index("report"):
            _report(work, output, made, measured)
    return made


def _add(output: Path, figures: BundleFigures) -> None:
    """Write what was measured into the manifest of the bundle chosen, beside its quality."""
    manifest = read_manifest(output)
    metrics = {**manifest.metrics, "benchmark": to_builtins(figures.alone), "energy_mj": figures.energy_mj}
    write_manifest(output, replace(manifest, metrics=metrics))


def _report(work: Work, output: Path, made: Distilled, measured: Benchmark) -> None:
    facts = {name: finished(work.folder / name) for name in ("adapt", "finetune", FULL)}
    promise = None if made.placing is None else made.placing.promise
    report = report_on(
        made.chosen,
        made.recipes,
        measured,
        tables=(work.parts.train.file, work.parts.test.file),
        keep=work.options.keep,
        tuned=facts["finetune"],
        exported=facts[FULL],
        adapted=facts["adapt"] if work.unlabelled else None,
        promise=None if promise is None else promise.sentence,
    )
    for doubt in report.doubts:
        work.say(doubt)
    files = write(report, output)
    if not any(name.endswith(".png") for name in files):
        work.say("There are no pictures without matplotlib: pip install 'edgewise[distill]'.")
