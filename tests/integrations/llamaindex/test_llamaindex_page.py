"""The programs about LlamaIndex run as they stand on the page, in front of a gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integrations.page import FILE, check_programs
from tests.integrations.talkers import Talker, talking
from tests.servers import gateway

pytestmark = pytest.mark.slow


def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # the library's own
    with (
        talking(phi := Talker("phi", lambda _: "It is Paris.")),
        gateway(tmp_path / "gateway", FILE.format(url=phi.url)) as running,
    ):
        monkeypatch.setenv("EDGEWISE_BASE_URL", f"{running.url}/v1")
        check_programs("LlamaIndex", tmp_path)
