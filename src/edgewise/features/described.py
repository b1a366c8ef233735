"""Featurizers by the name that stands in bundles: prompts → `Described`, for training and for serving alike.

A version is a list joined by `+`: what makes the vectors (nothing for static ones), the static array with its
statistics and terms, and `talk-1` where the bundle was trained on conversations.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError, MissingExtra
from edgewise.features.endpoint.names import is_url, is_version, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.features.describing import Describer, Embed
    from edgewise.features.endpoint.names import Identity
    from edgewise.features.static.vectors import StaticVectors

DATA = Path(__file__).parent / "static" / "data"
STATIC, MINILM = "static", "minilm"
TALK = "+talk-1"


def describer(name: str, *, progress: Callable[[str], None] | None = None) -> Describer:
    """The featurizer called `static` or `minilm`, or by the version that a bundle names.

    `progress` hears of vectors that are fetched from an endpoint, which happens when prompts are described,
    not here. Raises `BundleError` for features that this Edgewise does not have, `MissingExtra` and
    `AssetError` for what is not installed.
    """
    from edgewise.features.describing import Describer  # noqa: PLC0415 - numpy is an extra

    static = static_vectors()
    plain, talk = name.removesuffix(TALK), name.endswith(TALK)
    if plain in (STATIC, static.name):
        return Describer(static, None, talk)
    if plain in (MINILM, _minilm_version(static)):
        return Describer(static, _minilm(), talk)
    if identity := endpoint_in(name):
        return Describer(static, _fetched(identity, progress), talk)
    known = f"{static.name} and {_minilm_version(static)}, and those of endpoints"
    raise BundleError(f"There are no features '{name}'; this Edgewise has {known}; train the bundle anew.")


def version_of(
    name: str, prompts: Sequence[str] = (), *, progress: Callable[[str], None] | None = None
) -> str:
    """The full version of `static`, `minilm` or `URL#MODEL` for a table of `prompts`, as a bundle names it.

    It tells whether some of them are conversations. A version is its own. An endpoint is asked, which blocks:
    raises `UpstreamError` where it does not answer, `SettingsError` where the URL cannot be used.
    """
    static = static_vectors()
    version = {STATIC: static.name, MINILM: _minilm_version(static)}.get(name)
    if is_url(name):
        from edgewise.features.endpoint.fetch import identify  # noqa: PLC0415 - few need it

        version = f"{identify(name, say=progress)}+{static.name}"
    if version is None:
        return name
    return version + TALK if _has_talk(prompts) else version


def endpoint_in(version: str) -> Identity | None:
    """Whose vectors a version of features wants, where they come from an endpoint. Raises `BundleError`."""
    beside = f"+{static_vectors().name}"
    plain = version.removesuffix(TALK)
    if not (is_version(plain) and plain.endswith(beside)):
        return None
    return read_version(plain.removesuffix(beside))


def static_vectors() -> StaticVectors:
    """The shipped vectors. Raises `MissingExtra` without the extra `learn`."""
    try:
        return _static()
    except ImportError as error:
        raise MissingExtra("A learned policy", "learn") from error


@lru_cache(maxsize=1)
def _static() -> StaticVectors:
    from edgewise.features.static.vectors import StaticVectors  # noqa: PLC0415 - numpy is an extra

    return StaticVectors.load(DATA / "static.safetensors", DATA / "vocab.txt")


def _minilm_version(static: StaticVectors) -> str:
    return f"minilm-1+{static.name}"


@lru_cache(maxsize=1)
def _minilm() -> Embed:
    from edgewise import assets  # noqa: PLC0415 - only this featurizer needs a model file
    from edgewise.features.minilm import MiniLM  # noqa: PLC0415 - onnxruntime is an extra

    return MiniLM(assets.path_of("minilm", "model.onnx"), assets.path_of("minilm", "tokenizer.json")).embed


def _fetched(identity: Identity, progress: Callable[[str], None] | None) -> Embed:
    from edgewise.features.endpoint.access import access_to  # noqa: PLC0415 - few need it
    from edgewise.features.endpoint.fetch import Fetched  # noqa: PLC0415 - the same

    return Fetched(identity, lambda: access_to(identity), progress or _quiet)


def _quiet(_: str) -> None:
    """Say nothing."""


def _has_talk(prompts: Sequence[str]) -> bool:
    from edgewise.features.conversations import turns_in  # noqa: PLC0415 - tables only

    return any(turns_in(prompt) for prompt in prompts)
