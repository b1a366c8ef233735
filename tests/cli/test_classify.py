from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise
from tests.upstreams.classifiers import made


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("home") / "moods"
    made(folder)
    return str(folder)


def lines(text: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_come_back_in_order_with_what_was_found(bundle: str, tmp_path: Path) -> None:
    rows = [{"text": "good", "id": 7, "label": "x"}, {"text": " ", "id": 8}, {"text": "parcel late", "id": 9}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = edgewise(
        "classify", "--bundle", bundle, "--input", "in.jsonl", "--output", "out.jsonl", cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.decode() == "1 row has an empty text, and got no label.\n"
    first, empty, last = lines((tmp_path / "out.jsonl").read_bytes())
    assert (first["id"], first["true_label"], first["label"]) == (7, "x", "praise")
    assert (first["candidate"], first["reason"]) == ("moods", "only_candidate")
    assert (empty["label"], empty["candidate"], empty["probabilities"]) == (None, None, {})
    found = last["probabilities"]
    assert isinstance(found, dict)
    assert list(found) == ["parcel", "blame", "praise"]
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_csv_in_and_out(bundle: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('said,n\n"bad, late",1\ngood,2\n')
    ran = edgewise(
        *("classify", "--bundle", bundle, "--input", "in.csv", "--output", "out.csv"),
        *("--text-column", "said", "--top", "1"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "out.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["said"], first["label"], second["label"]) == ("bad, late", "blame", "praise")
    assert list(json.loads(first["probabilities"])) == ["blame"]


def test_lines_on_standard_input(bundle: str, tmp_path: Path) -> None:
    ran = edgewise(
        "classify", "--bundle", bundle, "--input", "-", given=b'good\n{"text": "bad"}\n{torn\n', cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert [row["label"] for row in lines(ran.stdout)][:2] == ["praise", "blame"]
    assert lines(ran.stdout)[2]["text"] == "{torn"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.csv", "query\ngood\n", "in.csv has no column `text`; it has 'query'."),
        ("in.txt", '{"said": "good"}\n', "in.txt, line 1 is a JSON object without a text called `text`."),
        ("in.jsonl", "good\n", "in.jsonl, line 1 is not JSON."),
    ],
)
def test_a_bad_file_gets_a_sentence_and_writes_nothing(
    bundle: str, tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    ran = edgewise("classify", "--bundle", bundle, "--input", name, "--output", "out.jsonl", cwd=tmp_path)
    assert said in complaint(ran)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    said = complaint(edgewise("classify", "--bundle", ".", "--input", "-", cwd=tmp_path))
    assert "is no classifier: classifier.json cannot be read" in said
