"""Programs of the Oblix SDK, unchanged but for their import lines (docs/oblix.md)."""

from __future__ import annotations

from edgewise.integrations.oblix.client import OblixClient
from edgewise.integrations.oblix.errors import Blocked, NoAnswer
from edgewise.integrations.oblix.models import ModelType

__all__ = ["Blocked", "ModelType", "NoAnswer", "OblixClient"]
