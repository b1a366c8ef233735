"""The programs about `llm` run as they stand on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integrations.page import check_programs

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("installed")
def test_the_programs_of_the_page_run(tmp_path: Path) -> None:
    check_programs("The command llm", tmp_path)
