"""Whether the bundles of the configured classifiers can be run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.cli.extras import CLASSIFYING
from edgewise.domain.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings import Settings

MEND = "Name the folder that edgewise distill wrote in the candidate's bundle, or distill anew."
INSTALL = "Run pip install 'edgewise[classify]'."


def classifiers(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each candidate with a bundle: its id, what was found, and what would mend it ("" where it is well)."""
    for candidate in settings.candidates:
        if candidate.bundle is not None:
            yield candidate.id, *_found(Path(candidate.bundle).expanduser())


def _found(folder: Path) -> tuple[str, str]:
    from edgewise.upstreams.classifier.manifest import read_manifest  # noqa: PLC0415 - loaded when used

    missing = [name for name in CLASSIFYING if find_spec(name) is None]
    if missing:
        return f"Without {', '.join(missing)}, no classifier can run.", INSTALL
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        return str(error), MEND
    labels = f"{len(manifest.labels):,} labels"
    return f"{folder} is whole: {labels}, {manifest.recipe}, version {manifest.version}.", ""
