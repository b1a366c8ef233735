"""The page gives the score that the rules have, and the measure is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.privacy import score, table, wilson

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_the_page_holds_the_score() -> None:
    assert table() in PAGE.read_text()


def test_the_set_is_large_and_has_both_kinds() -> None:
    rows = {row.kind: row for row in score()}
    assert sum(row.total for row in rows.values()) >= 150
    assert rows[""].total >= 50


def test_wilson() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10)[0] == 0.0
