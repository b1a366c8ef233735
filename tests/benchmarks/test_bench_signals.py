from __future__ import annotations

from benchmarks.signals import CANDIDATE, MACHINE, SETTINGS, filled


def test_the_board_is_full_and_nothing_is_wrong_on_it() -> None:
    signals = filled().read()
    assert len(signals) == len(MACHINE) + len(CANDIDATE) * len(SETTINGS.candidates)
    assert {signal.state for signal in signals.values()} == {"normal"}
