"""Where an adapter's library is not installed, a sentence says what to install."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest
from tests.integrations.environments import ADAPTERS, Adapter

from edgewise.domain.errors import MissingExtra


@pytest.mark.parametrize("adapter", ADAPTERS, ids=[adapter.name for adapter in ADAPTERS])
def test_an_adapter_names_its_extra(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    package = f"edgewise.integrations.{adapter.name}"
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=rf"pip install 'edgewise\[{adapter.extra}\]'"):
        importlib.import_module(package)
