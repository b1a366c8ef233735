"""What is checked of `[profile]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.settings.complaints import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.complaints import Complaint
    from edgewise.settings.looping import ProfileSettings

LEAST = {"max_tokens": 1, "repeats": 1, "warm_up": 0, "concurrency": 1, "seed": 0}
HOTTEST = 2.0


def profile_complaints(profile: ProfileSettings) -> Iterator[Complaint]:
    """Everything in this section that cannot be run."""
    if not 0.0 <= profile.temperature <= HOTTEST:
        yield expected("profile.temperature", profile.temperature, f"a number from 0 to {HOTTEST:g}")
    for name, least in LEAST.items():
        given: int = getattr(profile, name)
        if given < least:
            yield expected(f"profile.{name}", given, f"a number of {least} or more")
