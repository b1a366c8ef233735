from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import EdgewiseError, StoreError, TableError
from edgewise.learning.evaluate.bootstrap import Interval
from edgewise.learning.loop import STATE, Stages, Training, Verdict, chosen, selected, shipped_prompts
from edgewise.learning.prompts import Prompt


class Bench:
    """Stages that write a file, and what they were asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.did, self.said = folder, list[str](), list[str]()

    def run(self, name: str, inputs: object, text: str = "made", *, ends: bool = True) -> bool:
        def work() -> bool:
            self.did.append(name)
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name / "file").write_text(text)
            return ends

        return Stages(self.folder, self.said.append).run(name, [inputs], [name], work)


def test_a_stage_is_done_once_while_nothing_changes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.run("train", 1)
    assert bench.run("train", 1)
    assert bench.did == ["train"]
    assert bench.said == ["train …", "train: done before"]


def test_a_stage_is_done_again_for_other_inputs_and_lost_outputs(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run("train", 1)
    bench.run("train", 2)
    (tmp_path / "train" / "file").write_text("somebody else's")
    bench.run("train", 2)
    (tmp_path / "train" / "file").unlink()
    bench.run("train", 2)
    assert bench.did == ["train"] * 4


def test_a_stage_that_was_ended_is_gone_on_with(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert not bench.run("profile", 1, ends=False)
    assert bench.run("profile", 1)
    assert bench.did == ["profile"] * 2


def test_a_damaged_state_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("{")
    with pytest.raises(TableError, match=r"learn\.json is damaged .*; delete it to begin anew"):
        Stages(tmp_path, print)


def test_a_verdict_stays(tmp_path: Path) -> None:
    known = Interval(0.1, 0.0, 0.2)
    made = Verdict("better", "Yes.", "More.", "qos", 10, "a", known, 0.5, 0.1, 20, None)
    Stages(tmp_path, print).conclude(made)
    assert (Stages(tmp_path, print).state.verdict or {})["needed"] == 20


def test_prompts_are_drawn_by_hash_and_more_hold_those_that_were_drawn() -> None:
    prompts = [Prompt(prompt=f"number {n}") for n in range(50)]
    ten, twenty = chosen(prompts, 10, 0), chosen(iter(prompts), 20, 0)
    assert (len(ten), len(twenty)) == (10, 20)
    assert [p for p in twenty if p in ten] == ten
    assert chosen(prompts, 10, 1) != ten
    assert chosen(prompts, None, 0) == prompts


def test_of_the_shipped_prompts_each_task_and_level_alike() -> None:
    drawn = shipped_prompts(60, 0)
    counts = [sum(p.group == group and p.level == level for p in drawn) for group, level in labels(drawn)]
    assert len(drawn) == 60
    assert max(counts) - min(counts) <= 1
    assert all(prompt.check for prompt in drawn)
    assert "code" in {prompt.group for prompt in drawn}
    assert "code" not in {prompt.group for prompt in shipped_prompts(60, 0, code=False)}
    assert len(shipped_prompts(None, 0)) == len(shipped_prompts(10_000, 0)) >= 290


def labels(prompts: list[Prompt]) -> set[tuple[str | None, int | None]]:
    return {(prompt.group, prompt.level) for prompt in prompts}


def test_anew_does_again_what_was_done(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run("train", 1)
    assert Stages(tmp_path, bench.said.append).run("train", [1], ["train"], lambda: True, anew=True)
    assert bench.said == ["train …", "train …"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file is a file; the loop needs a folder"):
        Stages(tmp_path / "file", print)


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (Training("fast"), "There is no objective 'fast'"),
        (Training(learner="wat"), "There is no learner 'wat'"),
        (Training(features="nope"), "There are no features 'nope'"),
        (Training(floor=2.0), "between 0 and 1"),
    ],
)
def test_what_training_would_refuse_is_refused_before(training: Training, said: str) -> None:
    Training().check()
    with pytest.raises(EdgewiseError, match=said):
        training.check()


def test_only_what_these_candidates_said_to_these_prompts_is_judged(tmp_path: Path) -> None:
    outcomes, target = tmp_path / "outcomes.jsonl", tmp_path / "answers.jsonl"
    lines = [f'{{"prompt":"{p}","candidate":"{c}"}}\n' for p in ("one", "two", "three") for c in "abc"]
    outcomes.write_text("".join(lines))
    prompts = [Prompt(prompt="one"), Prompt(prompt="three")]
    assert selected(outcomes, prompts, ["a", "c"], target)
    assert target.read_text().splitlines(keepends=True) == [lines[n] for n in (0, 2, 6, 8)]
    everything = [*prompts, Prompt(prompt="two")]
    assert not selected(outcomes, everything, ["a", "b", "c"], target)
    assert not target.exists()
