"""Who is asked for the labels of each candidate of kind `classifier`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError
from edgewise.settings.classifiers import chooses
from edgewise.upstreams.classifier.chosen import ChosenLabel
from edgewise.upstreams.classifier.local import LocalClassifier
from edgewise.upstreams.classifier.manifest import read_manifest
from edgewise.upstreams.classifier.remote import RemoteClassifier
from edgewise.upstreams.openai import OpenAICompatible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.domain.protocols import Upstream
    from edgewise.settings import CandidateSettings

MANY_WAIT = 1024.0  # a batch of texts waits in line as long as it must: the line's time is its end


class Classifiers:
    """Makes the upstreams of classifiers; each bundle is opened once, `by_folder`, however many serve it.

    Raises `BundleError` for a bundle that is damaged, `SettingsError` where two bundles of one task do not
    know the same labels.
    """

    def __init__(self, candidates: Sequence[CandidateSettings]) -> None:
        self.by_folder: dict[Path, LocalClassifier] = {}
        self._labels = labels_by_task(candidates)

    def bundle(self, candidate: CandidateSettings) -> LocalClassifier:
        """What runs this candidate's bundle."""
        folder = folder_of(candidate)
        if folder not in self.by_folder:
            self.by_folder[folder] = LocalClassifier(folder)
        return self.by_folder[folder]

    def around(self, candidate: CandidateSettings, plain: Upstream) -> Upstream:
        """What makes a classifier of the endpoint that this candidate's settings name."""
        if chooses(candidate):
            labels = candidate.labels or self._labels[candidate.task]
            return ChosenLabel(plain, labels, candidate.json_schema)
        if not isinstance(plain, OpenAICompatible):
            raise SettingsError(f"'{candidate.id}' has no endpoint that labels texts; give it a url.")
        return RemoteClassifier(plain)

    async def warm(self) -> None:
        """Open the bundles."""
        for classifier in self.by_folder.values():
            await classifier.warm()


def folder_of(candidate: CandidateSettings) -> Path:
    """Where a candidate's bundle lies."""
    return Path(candidate.bundle or "").expanduser()


def labels_by_task(candidates: Sequence[CandidateSettings]) -> Mapping[str, tuple[str, ...]]:
    """The labels of each task that has a bundle."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for candidate in candidates:
        if candidate.bundle is None:
            continue
        labels = read_manifest(folder_of(candidate)).labels
        first, known = found.setdefault(candidate.task, (candidate.id, labels))
        if set(labels) != set(known):
            only = min(set(labels) ^ set(known))
            raise SettingsError(
                f"The bundles of '{first}' and '{candidate.id}' do not know the same labels (only one has "
                f"'{only[:40]}'); give each a task of its own."
            )
    return {task: labels for task, (_, labels) in found.items()}
