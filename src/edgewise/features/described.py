"""Featurizers by the name that stands in bundles: prompts → `Described`, for training and for serving alike.

A version is a list joined by `+`: what makes the vectors (nothing for static ones), the static array with its
statistics and terms, and `talk-1` where the bundle was trained on conversations.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.features.describing import Describer, Embed
    from edgewise.features.static.vectors import StaticVectors

DATA = Path(__file__).parent / "static" / "data"
STATIC, MINILM = "static", "minilm"
TALK = "+talk-1"


def describer(name: str, *, progress: Callable[[str], None] | None = None) -> Describer:
    """The featurizer called `static` or `minilm`, or by the version that a bundle names.

    Raises `BundleError` for one that this Edgewise does not have, `MissingExtra` and `AssetError` for what is
    not installed.
    """
    del progress
    from edgewise.features.describing import Describer  # noqa: PLC0415 - numpy is an extra

    static = static_vectors()
    plain = name.removesuffix(TALK)
    if plain in (STATIC, static.name):
        return Describer(static, None, name.endswith(TALK))
    if plain in (MINILM, _minilm_version(static)):
        return Describer(static, _minilm(), name.endswith(TALK))
    known = f"{static.name} and {_minilm_version(static)}"
    raise BundleError(f"There are no features '{name}'; this Edgewise has {known}; train the bundle anew.")


def version_of(name: str, prompts: Sequence[str] = ()) -> str:
    """The full version of `static` or `minilm` for a table of `prompts`, as a bundle names it.

    It tells whether some of them are conversations. A version is its own.
    """
    static = static_vectors()
    version = {STATIC: static.name, MINILM: _minilm_version(static)}.get(name)
    if version is None:
        return name
    return version + TALK if _has_talk(prompts) else version


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


def _has_talk(prompts: Sequence[str]) -> bool:
    from edgewise.features.conversations import turns_in  # noqa: PLC0415 - tables only

    return any(turns_in(prompt) for prompt in prompts)
