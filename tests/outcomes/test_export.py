from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME, decision, outcome

from edgewise.domain.errors import MissingExtra, StoreError
from edgewise.domain.stories import Story
from edgewise.outcomes.export import COLUMNS, Format, export, format_of, rows

STORY = Story(decision=DECISION, outcome=OUTCOME, feedback=(FEEDBACK, replace(FEEDBACK, quality=0.4)))


def test_a_row_holds_what_learning_reads() -> None:
    (row,) = rows([STORY])
    assert list(row) == list(COLUMNS)
    assert row["prompt"] == "What is the capital of France?"
    assert (row["candidate"], row["location"]) == ("smollm2-135m", "edge")
    assert row["quality"] == pytest.approx(0.6)
    assert row["usd_per_mtok"] == pytest.approx(0.4)
    assert (row["propensity"], row["response"], row["status"]) == (0.99, "Paris.", "ok")


def test_failures_are_rows_without_quality_and_open_decisions_are_none() -> None:
    failed = replace(OUTCOME, status="error", cost_usd=None, input_tokens=None, response=None)
    story = Story(decision=DECISION, outcome=failed)
    (row,) = rows([story, Story(decision=decision())])
    assert row["status"] == "error"
    assert row["quality"] is row["usd_per_mtok"] is row["cost_usd"] is None


def test_a_fallback_was_not_drawn() -> None:
    story = Story(decision=DECISION, outcome=replace(OUTCOME, candidate="cloud-simulated"))
    (row,) = rows([story])
    assert (row["candidate"], row["chosen"]) == ("cloud-simulated", "smollm2-135m")
    assert row["propensity"] is row["location"] is None


@given(st.lists(st.text(), max_size=5))
def test_every_text_comes_back_from_csv_and_jsonl(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("export")
    asked = [decision(prompt=text) for text in texts]
    stories = [Story(decision=one, outcome=outcome(one)) for one in asked]
    for form in ("csv", "csv.gz", "jsonl"):
        path = folder / f"table.{form}"
        assert export(stories, str(path), format_of(str(path))) == len(texts)
        assert [row["prompt"] for row in read(path)] == texts
    assert len(list(folder.iterdir())) == 3


def read(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in content.split(b"\n") if line]
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_failed_export_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def broken() -> Any:
        yield STORY
        raise StoreError("the log broke")

    with pytest.raises(StoreError, match="the log broke"):
        export(broken(), str(path), "csv")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("target", ["none/table.csv", "."])
def test_what_cannot_be_written_is_said(tmp_path: Path, target: str) -> None:
    with pytest.raises(StoreError, match=r"cannot be written: (No such file|Is a directory)"):
        export([STORY], str(tmp_path / target), "csv")


@pytest.mark.parametrize(
    ("target", "named", "form"),
    [
        ("a.csv", None, "csv"),
        ("a.CSV.GZ", None, "csv.gz"),
        ("-", None, "csv"),
        ("-", "jsonl", "jsonl"),
        ("a.txt", "parquet", "parquet"),
    ],
)
def test_the_format_follows_the_name(target: str, named: str | None, form: Format) -> None:
    assert format_of(target, named) == form


@pytest.mark.parametrize(("target", "named"), [("a.xlsx", None), ("csv", None), ("a.csv", "xml")])
def test_an_unknown_format_is_refused_with_those_there_are(target: str, named: str | None) -> None:
    with pytest.raises(StoreError, match=r"csv, csv\.gz, jsonl, parquet"):
        format_of(target, named)


def known(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def test_parquet_holds_what_the_other_formats_hold(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    path, plain = tmp_path / "t.parquet", tmp_path / "t.jsonl"
    assert export([STORY, STORY], str(path), "parquet") == export([STORY, STORY], str(plain), "jsonl")
    rows = parquet.read_table(path).to_pylist()
    assert [known(row) for row in rows] == [known(row) for row in read(plain)]


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"edgewise\[parquet\]"):
        export([STORY], str(tmp_path / "t.parquet"), "parquet")
    assert list(tmp_path.iterdir()) == []


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=buffer))
    assert export([STORY], "-", "jsonl") == 1
    assert json.loads(buffer.getvalue())["decision_id"] == DECISION.id
