"""What an endpoint's features are called: `URL#MODEL` by people, a version in bundles.

A version is `endpoint-1/768/FINGERPRINT/MODEL@URL+STATIC`: the length of a vector, what tells the model
behind the name from another one, the model, and where it was asked. It holds no key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import BundleError, SettingsError
from edgewise.settings.urls import split, url_problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND: Final = "endpoint-1"
PROBE: Final = "The quick brown fox jumps over the lazy dog."
"""The text whose vector makes the fingerprint."""
BITS: Final = 64
_VERSION: Final = re.compile(rf"{KIND}/(?P<dims>\d+)/(?P<print>[01]+)/(?P<model>.+)@(?P<url>https?://[^@]+)")


class Identity(Struct, frozen=True):
    """Which vectors a bundle was trained on. `fingerprint` is up to 64 binary digits."""

    dims: int
    fingerprint: str
    model: str
    url: str

    def __str__(self) -> str:
        return f"{KIND}/{self.dims}/{self.fingerprint}/{self.model}@{self.url}"

    def problem(self, probe: NDArray[np.float32]) -> str | None:
        """Why the vector of `PROBE` is not the one that it was in training, or None."""
        found = fingerprint(probe)
        if len(probe) != self.dims:
            return f"its vectors have {len(probe)} numbers and not {self.dims}"
        if not alike(found, self.fingerprint):
            return f"another model answers by the name '{self.model}'"
        return None


def is_url(name: str) -> bool:
    """Whether `name` is an endpoint as people write it."""
    return name.lower().startswith(("http://", "https://"))


def is_version(name: str) -> bool:
    """Whether `name` is a version of an endpoint's features."""
    return name.startswith(f"{KIND}/")


def read_name(name: str) -> tuple[str, str | None]:
    """(URL, model or None) of `URL#MODEL`. Raises `SettingsError`, which does not repeat the URL."""
    url, _, model = name.partition("#")
    url = url.rstrip("/")
    if problem := url_problem(url):
        raise SettingsError(f"The URL of --features {problem[0]}; {problem[1]}#MODEL.")
    if model and not model.isprintable():
        raise SettingsError("The model of --features holds characters that cannot be printed.")
    return url, model or None


def read_version(version: str) -> Identity:
    """The identity in a version, without what follows about static features. Raises `BundleError`."""
    found = _VERSION.fullmatch(version)
    if found is None or url_problem(found["url"]):
        raise BundleError(f"There are no features '{version[:80]}'; train the bundle anew.")
    return Identity(int(found["dims"]), found["print"], found["model"], found["url"])


def fingerprint(vector: NDArray[np.float32]) -> str:
    """Which of (up to) 64 numbers spread over the vector lie above their median, as binary digits.

    Rounding and another quantisation turn a few digits, another model turns half of them.
    """
    count = min(BITS, len(vector))
    picked = [float(vector[i * len(vector) // count]) for i in range(count)]
    middle = sorted(picked)[count // 2]
    return "".join("1" if value > middle else "0" for value in picked)


def alike(one: str, other: str) -> bool:
    """Whether two fingerprints are of one model: at most every eighth digit differs."""
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) * 8 <= len(one)


def stays_on_device(url: str) -> bool:
    """Whether what is sent to the URL stays on this machine."""
    parts = split(url)
    return parts is not None and is_loopback(parts.hostname or "")


def place(url: str) -> str:
    """The host and port, for messages."""
    parts = split(url)
    return "the endpoint" if parts is None else parts.netloc
