"""Stages from the command line: what a person may run alone, and what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise
from tests.learning.tiny_base import sentences, tiny_base

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
    ran = edgewise("distill", "--stage", "adapt", "--unlabelled", "domain.txt", *common, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == "out/stages/adapt: adapted, a base model for --base\n"
    assert "perplexity" in ran.stderr.decode()
    given = ("distill", "t.csv", *common)
    ran = edgewise(*given, "--unlabelled", "domain.txt", "--stage", "finetune", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == "out: done up to the stage finetune\n"
    assert "texts without a label left out: they stand in the test part." in ran.stderr.decode()
    ran = edgewise(*given, "--unlabelled", "domain.txt", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    said = ran.stderr.decode()
    assert "adapt: done before, kept." in said
    assert "finetune: done before, kept." in said
    assert ran.stdout.decode().endswith("out/distill.html: the report\n")
    adapted = ("--base", "out/stages/adapt", "--most-tokens", "16", "--epochs", "1", "--stage", "finetune")
    ran = edgewise("distill", "t.csv", "-o", "other", *adapted, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
