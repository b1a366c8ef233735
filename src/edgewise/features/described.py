"""Featurizers by the name that stands in bundles: texts → `Described`, for training and for serving alike."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import BundleError, MissingExtra
from edgewise.domain.requests import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.domain.requests import Request
    from edgewise.features.static.vectors import Described, StaticVectors
    from edgewise.features.text import TextFeatures

    Describe = Callable[[Sequence[str]], Described]

DATA = Path(__file__).parent / "static" / "data"
STATIC, MINILM = "static", "minilm"


def describer(name: str) -> Describe:
    """The featurizer called `static` or `minilm`, or by the version that a bundle names.

    Raises `BundleError` for one that this Edgewise does not have, `MissingExtra` and `AssetError` for what is
    not installed.
    """
    static = _static()
    if name in (STATIC, static.name):
        return static.describe
    if name in (MINILM, _minilm_version(static)):
        return _with_minilm(static)
    known = f"{static.name} and {_minilm_version(static)}"
    raise BundleError(f"There are no features '{name}'; this Edgewise has {known}; train the bundle anew.")


def version_of(name: str) -> str:
    """The full version of `static` or `minilm`, as a bundle names it; a version is its own."""
    static = _static()
    return {STATIC: static.name, MINILM: _minilm_version(static)}.get(name, name)


class VectorFeatures:
    """A featurizer for learned policies: text statistics, and what a bundle of `version` needs beside them.

    The whole conversation is described, not only its last message: its text goes in as one.
    """

    def __init__(self, text: TextFeatures, version: str) -> None:
        self._text, self._version = text, version
        self._describe = describer(version)

    async def describe(self, request: Request) -> Features:
        """Statistics, and a `Described` of one row as `vector`."""
        plain = await self._text.describe(request)
        return Features(plain.named, self._describe([request.text]), plain.version, self._version)


@lru_cache(maxsize=1)
def _static() -> StaticVectors:
    try:
        from edgewise.features.static.vectors import StaticVectors  # noqa: PLC0415 - numpy is an extra
    except ImportError as error:
        raise MissingExtra("A learned policy", "learn") from error
    return StaticVectors.load(DATA / "static.safetensors", DATA / "vocab.txt")


def _minilm_version(static: StaticVectors) -> str:
    return f"minilm-1+{static.name}"


@lru_cache(maxsize=1)
def _with_minilm(static: StaticVectors) -> Describe:
    from edgewise import assets  # noqa: PLC0415 - only this featurizer needs a model file
    from edgewise.features.minilm import MiniLM  # noqa: PLC0415 - onnxruntime is an extra

    model = MiniLM(assets.path_of("minilm", "model.onnx"), assets.path_of("minilm", "tokenizer.json"))

    def describe(texts: Sequence[str]) -> Described:
        return replace(static.describe(texts), vectors=model.embed(list(texts)))

    return describe
