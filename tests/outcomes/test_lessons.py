from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.cli.stored import fill
from tests.outcomes.sample import AT, decision, outcome

from edgewise.domain.decisions import Feedback
from edgewise.outcomes import LogReader
from edgewise.outcomes.lessons import Labelled, Tried


def said(number: int, of: str, source: str, quality: float | None) -> Feedback:
    comment = "Hm." if quality is None else None
    return Feedback(
        id=f"fb{number}", decision_id=of, at=AT + number, source=source, quality=quality, comment=comment
    )


def test_labels_are_counted_by_source_and_candidate(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    first, second = decision(), decision(chosen="cloud-simulated")
    fill(
        path, first, outcome(first), second, outcome(second),
        said(1, first.id, "user", 0.0), said(2, first.id, "user", 1.0), said(3, first.id, "user", None),
        said(4, second.id, "judge:one", 0.25), said(5, "gone", "user", 0.5),
    )  # fmt: skip
    with closing(LogReader(path)) as reader:
        assert reader.labelled(100) == [
            Labelled("user", first.chosen, 3, 0.5, AT + 3),
            Labelled("judge:one", "cloud-simulated", 1, 0.25, AT + 4),
            Labelled("user", "", 1, 0.5, AT + 5),
        ]
        assert [one.latest for one in reader.labelled(2)] == [AT + 4, AT + 5], "the latest two"


def test_choices_are_counted_and_shadows_are_none(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    made = [decision(at=AT + n, reason="explored" if n % 4 == 0 else "best_utility") for n in range(8)]
    shadow = decision(reason="shadow", chosen="another")
    fill(path, *made, decision(at=AT + 9, chosen="cloud-simulated"), shadow)
    with closing(LogReader(path)) as reader:
        assert reader.tried(100) == [Tried(made[0].chosen, 8, 2, AT), Tried("cloud-simulated", 1, 0, AT + 9)]
        assert sum(one.chosen for one in reader.tried(5)) == 4, "the latest five, of which one is a shadow"
