"""Presidio, where it is installed; and a plain word where it is not."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from edgewise.domain.errors import AssetError, MissingExtra
from edgewise.features.detectors import detection_for
from edgewise.features.detectors.presidio import Presidio
from edgewise.settings import PrivacySettings

HAS_PRESIDIO = find_spec("presidio_analyzer") is not None


@pytest.mark.skipif(HAS_PRESIDIO, reason="Presidio is installed")
def test_without_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'edgewise\[presidio\]'"):
        detection_for(PrivacySettings(presidio="en_core_web_sm"))


@pytest.mark.skipif(not HAS_PRESIDIO, reason="the extra `presidio` is not installed")
@pytest.mark.parametrize("model", ["no_such_model", "no.such.model", ""])
def test_without_its_model(model: str) -> None:
    with pytest.raises(AssetError, match="spacy download"):
        Presidio(model)


@pytest.mark.filterwarnings("ignore")  # of the libraries behind it
@pytest.mark.skipif(not HAS_PRESIDIO, reason="the extra `presidio` is not installed")
def test_it_finds_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With an empty language model, which is all that can be made without a download: its patterns answer."""

    def no_network(*args: object) -> None:
        raise AssertionError(f"asked the network for {args}")

    (tmp_path / "blank_model.py").write_text("import spacy\n\ndef load():\n    return spacy.blank('en')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    text = "Charge 4111 1111 1111 1111; write to john@example.org or see https://example.org."
    found = {match.rule: text[match.start : match.end] for match in Presidio("blank_model").find(text)}
    assert found == {"presidio.credit_card": "4111 1111 1111 1111"}
    with pytest.raises(ValueError, match="at most"):
        Presidio("blank_model").find("x" * 1_000_001)
