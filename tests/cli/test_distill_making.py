"""Stages from the command line: what a person may run alone, and what is refused with a sentence."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
import typer
from tests.cli.distilling import distilled
from tests.cli.running import complaint, edgewise
from tests.learning.tiny_base import sentences, tiny_base

from edgewise.cli.distill import _writing

ROWS = sentences(240)


def written(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "The stage report needs a labelled table: edgewise distill TABLE -o out"),
        (("--stage", "export", "--unlabelled", "x.txt"), "The stage export needs a labelled table"),
        (
            ("--stage", "adapt"),
            "The stage adapt reads texts without labels, and has none: --unlabelled FILE.",
        ),
        (("t.csv", "--stage", "adapt"), "The stage adapt reads texts without labels, and has none"),
        (("t.csv", "--unlabelled", "gone.txt"), "Cannot read gone.txt: No such file or directory."),
        (("t.csv", "--unlabelled", "t.csv", "--text-column", "query"), "t.csv has no column `query`"),
    ],
)
def test_a_stage_that_cannot_run_says_what_it_lacks(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    written(tmp_path / "t.csv", ROWS)
    (tmp_path / "x.txt").write_text("one\n")
    assert said in complaint(edgewise("distill", *words, "-o", "out", cwd=tmp_path))
    assert not (tmp_path / "out").exists()


LONG = "the apple " * 1000
DIRTY = {
    "a class with one row": (
        [("a lonely plum", "rare")],
        "t.csv: 1 label with one row only ('rare'): that row is trained on, and nothing can be said of how",
    ),
    "empty texts": ([("", "fruit"), ("  ", "tool")], "t.csv: 2 rows with an empty text left out."),
    "no label": ([("the saw", "")], "t.csv: 1 row without a label left out."),
    "10,000 characters": (
        [(LONG, "fruit")],
        "t.csv: 1 text of more than 2,000 characters (the longest has 10,000): only the beginning of each",
    ),
    "labels in other cases": (
        [("his plum", "FRUIT"), ("his saw", " tool ")],
        "t.csv: the labels 'FRUIT', 'fruit' differ in case or space only; they are taken as one, 'fruit'.",
    ),
    "the same text twice": (
        [(ROWS[0][0], "tool")],
        "t.csv: 1 text with more than one label; all rows are kept.",
    ),
}


@pytest.mark.parametrize(("rows", "said"), DIRTY.values(), ids=DIRTY)
def test_what_is_odd_is_said_before_anything_is_trained(
    tmp_path: Path, rows: list[tuple[str, str]], said: str
) -> None:
    written(tmp_path / "t.csv", [*ROWS, *rows])
    ran = edgewise("distill", "t.csv", "-o", "out", "--base", "./nowhere", cwd=tmp_path)
    assert ran.returncode == 2
    *notes, refusal = ran.stderr.decode().splitlines()
    assert any(note.startswith(said) for note in notes), notes
    assert refusal.startswith("edgewise: ")


def test_what_a_test_table_shares_with_training_is_said_first(tmp_path: Path) -> None:
    written(tmp_path / "t.csv", [*ROWS[:200], ("", "fruit")])
    written(tmp_path / "test.csv", ROWS[150:])
    ran = edgewise("distill", "t.csv", "--test", "test.csv", "-o", "out", "--base", "./nowhere", cwd=tmp_path)
    first, second, *_ = ran.stderr.decode().splitlines()
    assert first == (
        "test.csv: 50 of 90 texts stand in t.csv too; they were left out, "
        "and every figure is computed without them."
    )
    assert second == "t.csv: 1 row with an empty text left out."


def test_a_dirty_table_is_distilled_all_the_same(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the extra `distill`")
    base = str(tiny_base(tmp_path / "base"))
    written(tmp_path / "t.csv", [*ROWS, *(row for rows, _ in DIRTY.values() for row in rows)])
    common = ("-o", "out", "--base", base, "--most-tokens", "16", "--epochs", "3")
    distilled("t.csv", *common, cwd=tmp_path)
    report = json.loads((tmp_path / "out/distill.json").read_text())
    assert report["labels"] == 3
    page = html.unescape((tmp_path / "out/distill.html").read_text())
    for _, said in DIRTY.values():
        assert any(note.startswith(said) for note in report["notes"]), said
        assert said in page


def test_an_interruption_says_how_it_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, _writing(tmp_path / "out"):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == (
        f"\n{tmp_path / 'out'} keeps the stages that ended; "
        "the same command goes on with the one interrupted.\n"
    )


def test_an_unknown_stage_lists_those_there_are(tmp_path: Path) -> None:
    ran = edgewise("distill", "t.csv", "-o", "out", "--stage", "shrink", cwd=tmp_path)
    assert ran.returncode == 2
    said = " ".join(ran.stderr.decode().replace("│", " ").split())
    assert "'adapt', 'finetune', 'export', 'compress', 'cascade', 'benchmark', 'report'" in said


def test_stage_by_stage_and_then_the_rest(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the extra `distill`")
    base = str(tiny_base(tmp_path / "base"))
    written(tmp_path / "t.csv", ROWS)
    (tmp_path / "domain.txt").write_text("".join(f"{text}\n" for text, _ in sentences(600)))
    common = ("-o", "out", "--base", base, "--most-tokens", "16", "--epochs", "1")
    said, told_of = distilled("--stage", "adapt", "--unlabelled", "domain.txt", *common, cwd=tmp_path)
    assert said == "out/stages/adapt: adapted, a base model for --base\n"
    assert "perplexity" in told_of
    given = ("t.csv", *common, "--unlabelled", "domain.txt")
    said, told_of = distilled(*given, "--stage", "finetune", cwd=tmp_path)
    assert said == "out: done up to the stage finetune\n"
    assert "texts without a label left out: they stand in the test part." in told_of
    said, told_of = distilled(*given, cwd=tmp_path)
    assert "adapt: done before, kept." in told_of
    assert "finetune: done before, kept." in told_of
    assert said.endswith("out/distill.html: the report\n")
    adapted = ("--base", "out/stages/adapt", "--most-tokens", "16", "--epochs", "1", "--stage", "finetune")
    distilled("t.csv", "-o", "other", *adapted, cwd=tmp_path)
