from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import StoreError
from edgewise.learning.profile.plots import draw
from edgewise.learning.profile.plots.chart import TICKS, Axis
from edgewise.learning.profile.plots.points import MOST, points_in

PNG = b"\x89PNG\r\n"


def row(number: int, candidate: str, **more: Any) -> dict[str, Any]:
    return {
        "prompt": f"Question {number} <script>alert('&')</script>",
        "prompt_hash": f"{number}",
        "candidate": candidate,
        "location": "edge" if candidate == "near" else "cloud",
        "status": "ok",
        "response": "an answer",
        "latency_s": 0.1 + 0.01 * number,
        "repeat": 0,
        **more,
    }


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def judged(path: Path) -> Path:
    return table(
        path,
        [
            row(n, name, quality=quality, mission_criticality=10, time_criticality=0)
            for n in range(6)
            for name, quality in (("near", 0.25), ("far", 0.75))
        ],
    )


def test_before_it_is_judged_there_is_latency_alone(tmp_path: Path) -> None:
    rows = [row(n, name) for n in range(4) for name in ("near", "far")]
    table(tmp_path / "outcomes.jsonl", [*rows, row(9, "far", status="error", latency_s=60.0)])
    assert draw(tmp_path, tmp_path) == ["latency.png", "profile.html"]
    assert (tmp_path / "latency.png").read_bytes().startswith(PNG)
    assert "Nothing was judged yet" in (tmp_path / "profile.html").read_text()


def test_a_judged_table_is_drawn_as_published(tmp_path: Path) -> None:
    names = draw(judged(tmp_path / "judged.jsonl"), tmp_path / "plots")
    assert names == ["edge-cloud.png", "latency-quality.png", "latency.png", "profile.html", "quality.png"]
    for name in names:
        if name.endswith("png"):
            assert (tmp_path / "plots" / name).read_bytes().startswith(PNG)


def test_the_page_answers_to_the_pointer_and_asks_no_server(tmp_path: Path) -> None:
    draw(judged(tmp_path / "judged.jsonl"), tmp_path)
    page = (tmp_path / "profile.html").read_text()
    said = [unescape(each) for each in re.findall(r'data-says="([^"]*)"', page)]
    assert len(said) == 2 * 12  # each call in both charts
    # (1 + 10/10) · .25 + (1 + 0/10) / .1
    assert any("near (edge)" in each and "100 ms, quality 0.25, QoS 10.5" in each for each in said)
    assert any("Question 3 <script>" in each and "→ an answer" in each for each in said)
    assert "<script>alert" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "http" not in page
    sizes = {float(size) for size in re.findall(r'r="([\d.]+)" fill="#1f77b4" data-says', page)}
    assert len(sizes) > 1


def test_a_critics_qos_is_shown_where_there_is_one(tmp_path: Path) -> None:
    [point] = points_in(table(tmp_path / "t.jsonl", [row(1, "near", quality=0.5, qos=77.0)]))
    assert point.qos == 77.0


def test_of_many_calls_a_sample_is_drawn_whatever_their_order(tmp_path: Path) -> None:
    rows = [row(n, "near", prompt="long " * 100 + str(n)) for n in range(MOST + 50)]
    found = points_in(table(tmp_path / "t.jsonl", rows))
    turned = points_in(table(tmp_path / "u.jsonl", rows[::-1]))
    assert len(found) == MOST
    assert sorted(p.latency_s or 0 for p in found) == sorted(p.latency_s or 0 for p in turned)
    assert max(len(p.prompt) for p in found) < 250


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("no row\n")
    with pytest.raises(StoreError, match=r"t\.jsonl, line 1 is damaged"):
        draw(tmp_path / "t.jsonl", tmp_path)


@given(st.floats(1e-6, 1e9))
def test_an_axis_has_a_few_round_ticks_within_it(most: float) -> None:
    ticks = Axis("any", most).ticks()
    assert 2 <= len(ticks) <= TICKS + 1
    assert ticks[0] == 0
    assert ticks[-1] <= most
