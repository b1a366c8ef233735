"""The programs about LiteLLM run as they stand on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integrations.page import check_programs

pytestmark = pytest.mark.slow


def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # LiteLLM's own models make pydantic warn
    check_programs("LiteLLM", tmp_path)
