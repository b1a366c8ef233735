from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.monitors.drift.drifting import NOW, forecast, store, story
from tests.outcomes.sample import decision, outcome

from edgewise.domain.ids import mint, shadow_id
from edgewise.outcomes import LogReader
from edgewise.outcomes.comparing import Place


def test_answers_come_with_their_forecast_and_feedback_with_theirs(tmp_path: Path) -> None:
    path = tmp_path / "log"
    far = story(NOW, quality=0.4, latency_s=2.5, evidence={"far_from_training": 1.0}, key="shop")
    store(path, *far)
    ended, said, place = LogReader(path).compared(Place(), 10)
    (answer,), (told,) = ended, said
    assert (answer.candidate, answer.latency_s, answer.quality) == ("phi", 2.5, None)
    assert answer.forecast == forecast()
    assert (answer.far, answer.key) == (True, "shop")
    assert (told.quality, told.forecast_of("latency_s")) == (0.4, forecast().latency_s)
    assert LogReader(path).compared(place, 10) == ([], [], place)
    store(path, *story(NOW + 1.0))
    ended, said, _ = LogReader(path).compared(place, 10)
    assert (len(ended), said) == (1, [])


def test_only_what_the_chosen_one_answered_to_a_client_counts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    chosen = decision(chosen="phi")
    fallen, failed = decision(chosen="phi"), decision(chosen="phi")
    beside = decision(id=shadow_id(chosen.id), reason="shadow", shadow_of=chosen.id)
    store(path, chosen, outcome(chosen), fallen, outcome(fallen, candidate="gpt"), failed,
         outcome(failed, status="error"), beside, outcome(beside))  # fmt: skip
    ended, _, _ = LogReader(path).compared(Place(), 10)
    assert [row.candidate for row in ended] == ["phi"]
    assert ended[0].far is None, "nothing was forecast"


def test_of_many_the_evenly_spaced_and_always_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "log"
    store(path, *(record for n in range(95) for record in story(NOW + n)))
    for most in (1, 7, 10, 95, 1000):
        ended, _, place = LogReader(path).compared(Place(), most)
        steps = {round(b.at - a.at) for a, b in pairwise(ended)}
        assert len(steps) <= 1
        assert ended[-1].at == NOW + 94
        assert most >= len(ended) >= min(most, 95) // 2
        assert place.outcome == 95


def test_a_place_is_found_by_its_time_and_a_new_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    store(path, *(record for n in range(20) for record in story(NOW + 3600.0 * n, quality=1.0)))
    place = LogReader(path).place_at(NOW + 3600.0 * 12)
    ended, said, _ = LogReader(path).compared(place, 100)
    assert len(ended) == len(said)
    assert NOW + 3600.0 * 9 < ended[0].at <= NOW + 3600.0 * 13
    assert len(LogReader(path).compared(Place(500, 500), 100)[0]) == 20


def test_an_empty_log_has_nothing(tmp_path: Path) -> None:
    store(tmp_path / "log", decision(id=mint()))
    reader = LogReader(tmp_path / "log")
    assert reader.compared(reader.place_at(NOW), 10) == ([], [], Place())
