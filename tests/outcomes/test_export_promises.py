from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.outcomes.sample import DECISION, OUTCOME

from edgewise.domain.stories import Story
from edgewise.outcomes.export import rows


@pytest.mark.parametrize(
    ("declared", "evidence", "promised"),
    [
        (None, {}, None),
        ("region:eu", {"complexity": 0.3}, "region:eu"),
        (None, {"found:email": 1.0}, "local"),
        ("region:eu", {"complexity": 0.3, "found:iban": 2.0}, "local"),
    ],
)
def test_a_row_carries_what_was_declared_or_found(
    declared: str | None, evidence: dict[str, float], promised: str | None
) -> None:
    decision = replace(DECISION, privacy=declared, evidence=evidence)
    (row,) = rows([Story(decision=decision, outcome=OUTCOME)])
    assert row["privacy"] == promised
