from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.cli.distilling import distilled
from tests.cli.running import complaint, edgewise
from tests.learning.tiny_base import sentences, tiny_base
from tests.upstreams.classifiers import made


def written(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,label\na,x\nb,x\n", "t.csv has one label only, 'x', in all of its 2 rows"),
        ("text,label\n,x\n,y\n", "t.csv has no row with both a `text` and a `label`"),
        ("query,label\na,x\n", "t.csv has no column `text`; it has 'query', 'label'"),
        ("text,label\na,x\nb,x\nc,y\nd,y\n", "t.csv has 4 different texts, too few"),
        ("", "t.csv is empty"),
    ],
)
def test_a_bad_table_ends_with_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert said in complaint(edgewise("distill", "t.csv", "-o", "out", cwd=tmp_path))
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(find_spec("torch") is not None, reason="says what is missing only where it is")
def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    written(tmp_path / "t.csv", sentences(240))
    said = complaint(edgewise("distill", "t.csv", "-o", "out", cwd=tmp_path))
    assert (
        said
        == "edgewise: Distilling a classifier needs the extra 'distill': pip install 'edgewise[distill]'\n"
    )


def test_from_a_table_to_labels(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the extra `distill`")
    base = tiny_base(tmp_path / "base")
    rows = sentences(240)
    written(tmp_path / "t.csv", rows[:200])
    written(tmp_path / "test.csv", rows[190:])
    said, told_of = distilled(
        *("t.csv", "-o", "out", "--test", "test.csv", "--base", str(base), "--most-tokens", "16"),
        cwd=tmp_path,
    )
    assert told_of.startswith("test.csv: 10 of 50 texts stand in t.csv too; they were left out")
    assert said.startswith("out: classifier ")
    assert "test accuracy 100.0%" in said
    ran = edgewise("classify", "--bundle", "out", "--input", "test.csv", "--output", "said.csv", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    lines = (tmp_path / "said.csv").read_text().splitlines()[1:]
    assert len(lines) == 50
    assert all(line.split(",")[1] == line.split(",")[2] for line in lines)


def test_a_hub_name_that_is_a_missing_folder_is_named(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the extra `distill`")
    made(tmp_path / "other")
    written(tmp_path / "t.csv", sentences(240))
    for base, wrong in (("./nowhere", "There is no folder ./nowhere"), ("./other", "it has no config.json")):
        ran = edgewise("distill", "t.csv", "-o", "out", "--base", base, cwd=tmp_path)
        assert wrong in complaint(ran)
