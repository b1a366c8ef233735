"""`edgewise distill --max-loss`: what cannot be promised is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.distilling import distilled
from tests.cli.running import complaint, edgewise
from tests.learning.tiny_base import sentences, tiny_base


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-loss", "0"), "--max-loss is 0; nothing but a number between 0 and 1 can be proven."),
        (
            ("--max-loss", "0.01", "--confidence", "1"),
            "--confidence is 1; nothing but a number between 0 and 1",
        ),
        (
            ("--calibration", "t.csv"),
            "--calibration is what a bound is proven on; say which: --max-loss 0.01.",
        ),
        (
            ("--max-loss", "0.01", "--calibration", "t.csv"),
            "Every text of t.csv is trained on, chosen by or tested on; give other texts.",
        ),
        (
            ("--cloud", "gpt"),
            "t.csv has no column `gpt` with the cloud's labels, and no folder has that name",
        ),
        (("--cloud", "."), "is no classifier: classifier.json cannot be read"),
        (
            ("--out-of-scope", "empty.txt"),
            "empty.txt has no text; --out-of-scope reads texts about no label.",
        ),
        (("--in-scope", "0"), "--in-scope is 0: every text would be taken for strange; try 0.98."),
    ],
)
def test_what_cannot_be_promised_gets_a_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in sentences(240))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    (tmp_path / "empty.txt").write_text("\n")
    assert said in complaint(edgewise("distill", "t.csv", "-o", "out", *words, cwd=tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_promise_is_proven_and_said(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the extra `distill`")
    base = str(tiny_base(tmp_path / "base"))
    rows = "".join(f"{text},{label}\n" for text, label in sentences(480))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    given = ("t.csv", "-o", "out", "--base", base, "--most-tokens", "16", "--epochs", "1")
    said, _ = distilled(*given, "--max-loss", "0.2", "--stage", "cascade", cwd=tmp_path)
    assert "With 95% confidence the cascade loses at most 20.00% of the accuracy" in said
    said, _ = distilled(*given, "--max-loss", "0.01", "--stage", "cascade", cwd=tmp_path)
    assert "calibration texts cannot prove a loss of at most 1.00%" in said
