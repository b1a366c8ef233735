"""The line of a decision: labelled where it is simulated, and harmless to a terminal."""

from __future__ import annotations

from msgspec.structs import replace
from tests.outcomes.sample import DECISION, OUTCOME

from edgewise.cli.lines import Lines, line, unfinished


def test_what_is_simulated_is_called_so() -> None:
    far = replace(DECISION, chosen="far", location="cloud", simulated=True)
    assert "far (simulated)" in line(far, OUTCOME)
    assert "far (simulated)" in unfinished(far)
    assert "(simulated)" not in unfinished(replace(far, simulated=False))
    named = replace(far, chosen="cloud-simulated")  # it says so itself
    assert "(simulated)" not in unfinished(named)


def test_nothing_in_it_reaches_the_terminal() -> None:
    said: list[str] = []
    lines = Lines(said.append)
    lines(DECISION)
    lines(replace(OUTCOME, decision_id=DECISION.id, status="error", error="Bad\x1b[2J\nforged line"))
    (only,) = said
    assert only.isprintable()
    assert r"Bad\x1b[2J\nforged line" in only
    assert unfinished(replace(DECISION, chosen="a\x1bb")).isprintable()


def test_a_decision_for_nobody() -> None:
    assert " nobody  " in unfinished(replace(DECISION, chosen=""))


def test_a_long_error_does_not_fill_the_terminal() -> None:
    told = line(DECISION, replace(OUTCOME, status="error", error="No candidate may answer. " * 40))
    assert len(told) < 400
    assert told.endswith("… (1000 characters)")
