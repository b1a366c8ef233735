"""Checks of the candidates that label texts: what belongs to them alone, and label sets that fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgewise.settings.schema import CandidateSettings

OURS = ("bundle", "labels", "task")
FEWEST_LABELS = 2
CLASSIFIERS_ONLY = 'expected it only beside kind = "classifier"'


def classifier_complaints(key: str, candidate: CandidateSettings) -> Iterator[Complaint]:
    """What cannot be run of one candidate's labels, bundle and task."""
    if candidate.kind != "classifier":
        for name in OURS:
            if getattr(candidate, name):
                yield Complaint(
                    f"{key}.{name}", "has no effect", 'expected it only beside kind = "classifier"'
                )
        if candidate.api == "classify":
            yield Complaint(f"{key}.api", 'is "classify"', CLASSIFIERS_ONLY)
        return
    if candidate.api == "classify" and candidate.url is None:
        yield Complaint(f"{key}.api", 'is "classify"', "expected it only beside a url")
    if candidate.bundle is not None and not candidate.bundle.strip():
        yield expected(f"{key}.bundle", candidate.bundle, "the folder that `edgewise distill` wrote")
    if candidate.helped is not None:
        yield Complaint(f"{key}.helped", "has no effect", 'expected it only beside kind = "chat"')
    if not candidate.task.isprintable():
        yield expected(f"{key}.task", candidate.task, "a name on one line")
    yield from _labels(key, candidate)


def label_complaints(candidates: Sequence[CandidateSettings]) -> Iterator[Complaint]:
    """Chat models that are to label texts and know no labels: neither of their own nor a bundle's."""
    known = {c.task for c in candidates if c.bundle is not None}
    for index, candidate in enumerate(candidates):
        if chooses(candidate) and not candidate.labels and candidate.task not in known:
            yield Complaint(
                f"candidates[{index}].labels",
                "is missing",
                'expected the labels that a chat model may choose among, api = "classify" where the '
                "endpoint is a classifier, or another candidate of the same task with a bundle",
            )


def chooses(candidate: CandidateSettings) -> bool:
    """Whether this is a chat model that stands as a classifier."""
    return candidate.kind == "classifier" and candidate.bundle is None and candidate.api != "classify"


def _labels(key: str, candidate: CandidateSettings) -> Iterator[Complaint]:
    labels = candidate.labels
    if not labels:
        return
    if not chooses(candidate):
        yield Complaint(f"{key}.labels", "has no effect", "a classifier brings its own labels")
    if len(labels) < FEWEST_LABELS:
        yield expected(f"{key}.labels", list(labels), "two labels or more")
    if not all(label.strip() for label in labels):
        yield Complaint(f"{key}.labels", "holds an empty one", "expected a text in each place")
    folded = [" ".join(label.split()).casefold() for label in labels]
    if twice := next((label for place, label in enumerate(labels) if folded[place] in folded[:place]), None):
        yield expected(f"{key}.labels", twice, "each label once")
