"""The page of who answers is what the rules give, and what it says makes sense."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "truth_table.py"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_is_up_to_date(made: dict[str, Any]) -> None:
    assert made["PAGE"].read_text(encoding="utf-8") == made["page"]()


def test_what_is_local_never_goes_to_the_cloud(made: dict[str, Any]) -> None:
    local = [row for row in rows(made["page"]()) if row[2] == "local"]
    assert len(local) == 48
    assert not [row for row in local if "cloud" in row[4:]]


def test_no_cloud_without_a_way_to_it_or_without_money(made: dict[str, Any]) -> None:
    for row in rows(made["page"]()):
        if row[1] == "disconnected" or row[3] == "spent":
            assert "cloud" not in row[4:], row


def test_nobody_only_where_the_edge_is_critical(made: dict[str, Any]) -> None:
    for row in rows(made["page"]()):
        assert ("nobody" in row[4:]) <= (row[0] == "critical"), row


def test_a_good_link_and_a_hard_prompt_go_to_the_cloud(made: dict[str, Any]) -> None:
    assert ["available", "optimal", "any", "available", "edge", "cloud"] in rows(made["page"]())
