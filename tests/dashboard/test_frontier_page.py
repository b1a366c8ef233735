"""The frontier over a log with forecasts: what it shows, what its button does, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from tests.dashboard import forecasts
from tests.dashboard.traffic import CONFIG
from tests.dashboard.visiting import act, page
from tests.servers import Running, gateway


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("frontier")
    forecasts.write(home / "edgewise.sqlite", time(), decisions=300)
    with gateway(home, CONFIG) as running:
        yield running


def test_it_shows_settings_singles_and_today(site: Running) -> None:
    said = page(site, "/frontier")
    for words in (
        "quality-at-cost:0.0",
        "always phi",
        "always grand",
        "today, as logged",
        "measured",
        "95 %",
    ):
        assert words in said
    assert "fastest-at-quality:" in page(site, "/frontier?axis=latency_s")
    assert "No decision of the log has forecasts of energy" in page(site, "/frontier?axis=energy_j")


def test_apply_changes_the_configuration_and_undo_puts_it_back(site: Running) -> None:
    configuration = site.home / "edgewise.toml"
    before = configuration.read_text()
    offered = re.findall(r"quality-at-cost:[0-9.e-]+", page(site, "/frontier"))
    status, said = act(site, "/frontier/apply", axis="cost_usd", objective=offered[3])
    assert status == 200
    assert f"objective {offered[3]}" in said
    assert 'name = "quality-at-cost"' in configuration.read_text()
    status, said = act(site, "/frontier/undo")
    assert status == 200
    assert "In force" not in said
    assert configuration.read_text() == before
    assert act(site, "/frontier/undo")[0] == 409


def test_a_setting_that_nobody_offered_is_refused(site: Running) -> None:
    before = (site.home / "edgewise.toml").read_text()
    for asked in ("quality-at-cost:99999", "", "<script>"):
        status, said = act(site, "/frontier/apply", axis="cost_usd", objective=asked)
        assert status == 409
        assert "has moved on" in said
    assert (site.home / "edgewise.toml").read_text() == before


def test_without_forecasts_it_says_what_to_do(tmp_path: Path) -> None:
    with gateway(tmp_path, CONFIG) as running:
        said = page(running, "/frontier")
    assert "edgewise train" in said
    assert "edgewise deploy" in said


def test_one_prompt_asked_again_and_again_has_no_spread_and_no_price(tmp_path: Path) -> None:
    forecasts.write(tmp_path / "edgewise.sqlite", time(), decisions=12, prompts=("What is it?",))
    with gateway(tmp_path, CONFIG) as running:
        for axis in ("cost_usd", "latency_s", "energy_j"):
            said = page(running, f"/frontier?axis={axis}")
            assert "nan" not in said
