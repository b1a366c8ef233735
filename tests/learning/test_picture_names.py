from __future__ import annotations

from pathlib import Path

from tests.learning.test_profile_plots import row, table

from edgewise.learning.evaluate.bootstrap import Interval
from edgewise.learning.evaluate.charts import _bars as evaluated
from edgewise.learning.judge.charts import _bars as compared
from edgewise.learning.judge.charts import charts
from edgewise.learning.judge.report import CandidateScores, JudgeReport
from edgewise.learning.profile.plots import draw

HALF = Interval(0.5, 0.4, 0.6)
NAMES = ("$\\frac$", "x$y$", "a\x1b[31mb", "x" * 3_000)
PNG = b"\x89PNG\r\n"


def test_a_profile_is_drawn_whatever_its_candidates_are_called(tmp_path: Path) -> None:
    rows = [row(n, name, quality=0.5, location="edge") for n in range(3) for name in NAMES]
    draw(table(tmp_path / "judged.jsonl", rows), tmp_path)
    page = (tmp_path / "profile.html").read_text()
    assert all(name in page for name in NAMES)


def test_reports_are_drawn_whatever_their_candidates_are_called() -> None:
    scores = tuple(CandidateScores(name, 2, 0, HALF, (0.4, 0.6)) for name in NAMES)
    nothing: dict[str, int] = {}
    report = JudgeReport("t", 2, 2, scores, nothing, nothing, (), (), None, 0, (), ())
    assert charts(report)["scores"].startswith(PNG)
    assert compared("Pairs", [(name, HALF) for name in NAMES], line=0.5).startswith(PNG)
    assert evaluated("Quality", [(f"always {name}", 0.5, 0.4, 0.6) for name in NAMES]).startswith(PNG)
