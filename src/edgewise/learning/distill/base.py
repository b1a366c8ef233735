"""The model that a classifier starts from: a folder, a hub's name, or the MiniLM that a package carries."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from edgewise import assets
from edgewise.domain.errors import AssetError, MissingExtra

DEFAULT = "minilm-fp32"
NEEDED = ("config.json", "tokenizer.json")


def library(name: str) -> Any:
    """A library of the extra "distill", without types. Raises `MissingExtra`."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra("Distilling a classifier", "distill") from error


def base_folder(base: str) -> str:
    """Where the base model lies, for transformers: a folder that exists, or the name on a hub as it stands.

    The default is pulled where it is not there yet. Raises `AssetError` where that fails, or where a folder
    lacks what it must hold.
    """
    if base == DEFAULT:
        return str(assets.pull(DEFAULT))
    folder = Path(base).expanduser()
    if not folder.exists():
        if base.startswith((".", "/", "~")):
            raise AssetError(
                f"There is no folder {base}; a base model is a folder, a hub's name, or {DEFAULT}."
            )
        return base
    for name in NEEDED:
        if not (folder / name).is_file():
            raise AssetError(f"{folder} is no base model: it has no {name}.")
    return str(folder)
