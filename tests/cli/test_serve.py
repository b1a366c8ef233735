"""`edgewise serve`: what it says at its start, and how it ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, gateway

from edgewise.cli.serve import banner
from edgewise.settings import hash_key, load, new_key

KEYS = '[[server.keys]]\nname = "ann"\nhash = "{}"\nscopes = ["inference"]\n'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_as_the_page_says(mock: Mock, tmp_path: Path, number: signal.Signals) -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    assert "with exit code 0" in page.split("## edgewise serve")[1].split("##")[0]
    with gateway(tmp_path, two_candidates(mock), env={"GIANT_KEY": "x"}, started=True) as running:
        running.process.send_signal(number)
        assert running.process.wait(30) == 0
        assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_its_examples_carry_a_key_where_one_is_needed(mock: Mock, tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(two_candidates(mock))
    without = "\n".join(banner(load(file), (), "http://127.0.0.1:1"))
    assert 'api_key="any"' in without
    assert "authorization" not in without
    file.write_text(two_candidates(mock, KEYS.format(hash_key(new_key()))))
    with_keys = "\n".join(banner(load(file), (), "http://127.0.0.1:1"))
    assert "-H 'authorization: Bearer YOUR-KEY'" in with_keys
    assert 'api_key="YOUR-KEY"' in with_keys
    assert "printed for ann" in with_keys
    assert "any" not in with_keys.split("Try it:")[1].replace("France", "")
