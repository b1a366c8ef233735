from __future__ import annotations

from tests.integrations.environments import ADAPTERS

# Where an adapter's library is not installed, its tests run in an environment of its own all the same.
collect_ignore = [adapter.name for adapter in ADAPTERS if not adapter.is_here]
