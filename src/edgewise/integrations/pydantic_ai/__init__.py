"""pydantic-ai with Edgewise inside: a model for any slot, and a capability for agents."""

from __future__ import annotations

from importlib.util import find_spec

from edgewise.domain.errors import MissingExtra

if find_spec("pydantic_ai") is None:
    raise MissingExtra("edgewise.integrations.pydantic_ai", "pydantic-ai")

from edgewise.integrations.pydantic_ai.capability import Routing
from edgewise.integrations.pydantic_ai.model import RoutedModel, feedback_on
from edgewise.integrations.pydantic_ai.settings import EdgewiseModelSettings

__all__ = ["EdgewiseModelSettings", "RoutedModel", "Routing", "feedback_on"]
