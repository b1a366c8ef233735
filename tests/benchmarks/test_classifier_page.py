"""The page says of each figure whether it was reached, and of what is missing that it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.classifier_page import page

FOUND = Path(__file__).parents[2] / "docs/benchmarks/classifier.json"


def test_the_page_is_what_the_figures_say() -> None:
    if not FOUND.exists():
        pytest.skip("nothing was measured yet")
    found = json.loads(FOUND.read_text())
    assert page(found) == FOUND.with_suffix(".md").read_text()


def test_what_was_not_reached_is_marked() -> None:
    split = {
        "splits": 200, "texts": 10, "broken_on_the_rest": 20, "broken_on_the_whole": 1,
        "broken_in_a_known_population": 2, "unproven": 0, "kept": 0.5,
    }  # fmt: skip
    said = page(
        {
            "at": "2026-01-02",
            "machine": {"cpu": "a chip"},
            "clinc150": {"bundles": {}, "splits": {"int4": split}},
        }
    )
    assert "20 on the rest, 1 on the whole, 2 in a known population | **no** |" in said
    assert "Measured on 2026-01-02: a chip." in said
