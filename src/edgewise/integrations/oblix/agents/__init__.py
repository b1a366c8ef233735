"""The agents that come with the SDK."""

from __future__ import annotations

from edgewise.integrations.oblix.agents.base import BaseAgent
from edgewise.integrations.oblix.agents.connectivity import ConnectivityAgent
from edgewise.integrations.oblix.agents.resource import ResourceMonitor

__all__ = ["BaseAgent", "ConnectivityAgent", "ResourceMonitor"]
