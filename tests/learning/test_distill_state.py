from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.learning.distill.state import STATE, stage


def test_a_stage_runs_once_for_the_same_input(tmp_path: Path) -> None:
    ran: list[Path] = []
    said: list[str] = []

    def work(folder: Path) -> dict[str, int]:
        ran.append(folder)
        (folder / "out.txt").write_text("done")
        return {"found": len(ran)}

    place = tmp_path / "one"
    first = stage(place, {"a": 1, "b": 2}, work, said.append)
    again = stage(place, {"b": 2, "a": 1}, work, said.append)
    assert again == first
    assert (len(ran), said) == (1, ["one: done before, kept."])
    assert stage(place, {"a": 2, "b": 2}, work, said.append).facts == {"found": 2}
    for spoil in (
        lambda: (place / "out.txt").write_text("torn"),
        (place / "out.txt").unlink,
        lambda: (place / STATE).write_text("{"),
    ):
        before = len(ran)
        spoil()
        stage(place, {"a": 2, "b": 2}, work, said.append)
        assert len(ran) == before + 1


def test_an_interrupted_stage_is_not_done(tmp_path: Path) -> None:
    place = tmp_path / "one"

    def dies(folder: Path) -> dict[str, int]:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    stage(place, 1, lambda _: {}, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        stage(place, 2, dies, lambda _: None)
    assert not (place / STATE).exists()
    assert stage(place, 1, lambda _: {"ran": 1}, lambda _: None).facts == {"ran": 1}
