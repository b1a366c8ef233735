from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev

import pytest

from edgewise.domain.errors import RequestError, TableError
from edgewise.learning.tables import read_table
from edgewise.learning.worlds import PLACEMENT, SELECTION, draw, make_prompts, outcome_rows, write_csv

PROMPTS = make_prompts(600, seed=3)


def test_prompts_differ_and_come_in_two_kinds() -> None:
    assert len({prompt.text for prompt in PROMPTS}) == 600
    assert sum(prompt.time_critical for prompt in PROMPTS) == 300
    assert make_prompts(600, seed=3) == PROMPTS
    assert make_prompts(600, seed=4) != PROMPTS
    urgent = [p for p in PROMPTS if p.time_critical]
    assert fmean(p.time for p in urgent) > 7
    assert fmean(p.time for p in PROMPTS if not p.time_critical) < 4
    with pytest.raises(RequestError, match="Between 1 and"):
        make_prompts(10**6)


@pytest.mark.parametrize(
    ("arm", "latency_s", "sd_s", "quality"), [("edge", 0.12, 0.03, 0.6), ("cloud", 0.65, 0.12, 0.78)]
)
def test_the_published_settings(arm: str, latency_s: float, sd_s: float, quality: float) -> None:
    found = [PLACEMENT.measure(prompt, arm) for prompt in PROMPTS]
    assert fmean(m.latency_s for m in found) == pytest.approx(latency_s, abs=5 * sd_s / 600**0.5)
    assert stdev(m.latency_s for m in found) == pytest.approx(sd_s, rel=0.15)
    assert fmean(m.quality for m in found) == pytest.approx(quality, abs=5 * 0.1 / 600**0.5)
    assert stdev(m.quality for m in found) == pytest.approx(0.1, rel=0.15)
    assert PLACEMENT.measure(PROMPTS[0], arm) == found[0]  # whoever asks again is told the same


def test_the_critic_looks_at_speed_only_where_time_matters() -> None:
    def better(time_critical: bool) -> float:
        asked = [p for p in PROMPTS if p.time_critical == time_critical]
        return fmean(PLACEMENT.measure(p, "edge").qos - PLACEMENT.measure(p, "cloud").qos for p in asked)

    assert better(time_critical=True) > 20
    assert better(time_critical=False) < -10


def test_a_table_that_training_can_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "world.csv"
    assert write_csv(path, outcome_rows(SELECTION, PROMPTS[:40])) == 200
    table = read_table(path)
    assert len(table) == 40
    assert set(table.candidates) == set(SELECTION.arms)
    assert table.has("reward")
    with pytest.raises(TableError, match="cannot be written"):
        write_csv(path / "below" / "a" / "file.csv", [])


def test_a_policy_that_is_not_in_the_report_is_a_sentence(tmp_path: Path) -> None:
    class Empty:
        policies = ()

    with pytest.raises(TableError, match="no policy 'learned'"):
        draw(Empty(), ["learned"], tmp_path / "x.png", title="")  # type: ignore[arg-type]
