"""What `llm` finds by the entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import llm

from edgewise.integrations.llm.models import EdgewiseAsyncModel, EdgewiseModel
from edgewise.integrations.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = "EDGEWISE_CONFIG"


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """The model `edgewise`, plain and asynchronous.

    It is made of the configuration that the variable EDGEWISE_CONFIG names, or of ./edgewise.toml, or else of
    what this machine has to offer; nothing of it is read before it is asked.
    """
    opening = Opening(os.environ.get(CONFIG))
    register(EdgewiseModel(opening), EdgewiseAsyncModel(opening))
