"""What `edgewise doctor` says about the promises that were made of classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgewise.domain.errors import EdgewiseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgewise.cli.doctor_log import State
    from edgewise.settings import Settings

MEND = "Distill again with --max-loss and --calibration texts like those that come now."


class Found(NamedTuple):
    """The state of one classifier's promise, a sentence, and how to mend it."""

    candidate: str
    state: State
    sentence: str
    mend: str = ""


def look(settings: Settings, log: Path) -> Iterator[Found]:
    """Each promise of a configured classifier: what was proven, and what the log says of it since."""
    if not any(candidate.bundle for candidate in settings.candidates):
        return
    from edgewise.app.cascades import promises  # noqa: PLC0415 - a router's parts, when needed
    from edgewise.learning.cascade.watching import Vigil  # noqa: PLC0415 - the same
    from edgewise.learning.steer import RECALLED  # noqa: PLC0415 - the same
    from edgewise.outcomes import LogReader  # noqa: PLC0415 - the same

    try:
        made = promises(settings.candidates)
    except EdgewiseError as error:
        yield Found("classifiers", "fail", str(error), "Distill or copy the bundle anew.")
        return
    vigil = Vigil(made)
    if vigil.states and log.exists():
        try:
            vigil.recall(reversed(LogReader(log).latest(RECALLED)))
        except EdgewiseError:  # what is wrong with the log is said of the log
            return
    for name, promise in made.items():
        seen = vigil.states.get(name)
        if seen is None:
            yield Found(name, "warn", promise.sentence, MEND)
        elif seen.alarm:
            yield Found(name, "warn", seen.sentence, MEND)
        else:
            yield Found(name, "ok", f"{promise.sentence} {seen.sentence}")
