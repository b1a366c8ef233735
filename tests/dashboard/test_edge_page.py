"""The device's page, with its signals on."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

from tests.dashboard.traffic import CONFIG, ask
from tests.servers import gateway


def test_the_device_is_shown_with_its_placements(tmp_path: Path) -> None:
    with gateway(tmp_path, CONFIG, env={"EDGEWISE_SIGNALS": "on"}) as running:
        ask(running, "What is the capital of France?")
        with urlopen(running.url + "/edge") as answer:
            said = answer.read().decode()
        with urlopen(running.url + "/edge?window=24h") as answer:
            assert "Placements" in answer.read().decode()
    for words in ("Placements", "spent_usd", "ledger", "Every signal", "as of now"):
        assert words in said


def test_without_signals_it_says_how_to_have_them(tmp_path: Path) -> None:
    config = "[signals]\nenabled = false\n" + CONFIG.replace("usd_per_day = 2.0", "")
    with gateway(tmp_path, config) as running, urlopen(running.url + "/edge") as answer:
        said = answer.read().decode()
    assert "Nothing is read of this machine" in said
    assert "enabled = true" in said
