"""The plug-in of the command `llm`: its model `edgewise` is whoever is best for the prompt."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("llm") is None:
    raise MissingExtra("edgewise.integrations.llm", "llm")

from edgewise.integrations.llm.models import EdgewiseAsyncModel, EdgewiseModel
from edgewise.integrations.llm.plugin import register_models

__all__ = ["EdgewiseAsyncModel", "EdgewiseModel", "register_models"]
