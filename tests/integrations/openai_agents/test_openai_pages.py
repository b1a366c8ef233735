"""The programs about OpenAI's SDK and client run as they stand on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integrations.page import check_programs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("section", ["OpenAI's Agents SDK", "OpenAI's own client"])
def test_the_programs_of_the_page_run(section: str, tmp_path: Path) -> None:
    check_programs(section, tmp_path)
