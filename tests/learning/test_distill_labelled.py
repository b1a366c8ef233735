from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import TableError
from edgewise.learning.distill.labelled import LabelledTable, one_spelling, read_held_out, read_labelled
from edgewise.learning.distill.parts import parted


def written(path: Path, rows: list[tuple[str, str]], columns: tuple[str, str] = ("text", "label")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


GOOD = [("pay me", "money"), ("where is it", "parcel"), ("lost it", "parcel"), ("refund", "money")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_kind_of_file_gives_the_same_table(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    rows = [{"text": text, "label": label, "extra": 1} for text, label in GOOD]
    if kind == "csv":
        written(path, GOOD)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        arrow = pytest.importorskip("pyarrow")
        parquet.write_table(arrow.Table.from_pylist(rows), path)
    table = read_labelled(path)
    assert list(zip(table.texts, table.labels, strict=True)) == GOOD
    assert table.names == ("money", "parcel")
    assert table.notes == ()


def test_columns_go_by_other_names(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", GOOD, ("query", "category"))
    assert read_labelled(path, "query", "category").texts[0] == "pay me"
    with pytest.raises(TableError, match=r"no column `text`; it has 'query', 'category'.*--text-column NAME"):
        read_labelled(path)
    with pytest.raises(TableError, match="name two"):
        read_labelled(path, "query", "query")


def test_one_label_is_nothing_to_learn(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [("a", "x"), ("b", " X ")])
    with pytest.raises(TableError, match=r"t\.csv has one label only, 'x', in all of its 2 rows"):
        read_labelled(path)


def test_nothing_but_empty_texts(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="nothing to learn from"):
        read_labelled(written(tmp_path / "t.csv", [("", "x"), ("  ", "y")]))
    (tmp_path / "void.csv").write_text("")
    with pytest.raises(TableError, match="is empty"):
        read_labelled(tmp_path / "void.csv")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("z", "rare")], "1 label with one row only ('rare')"),
        ([("", "money"), (" ", "money")], "2 rows with an empty text left out."),
        ([("what", "")], "1 row without a label left out."),
        ([("long " * 2000, "money")], "1 text of more than 2,000 characters (the longest has 10,000)"),
        ([("new", "Money ")], "the labels 'Money ', 'money' differ in case or space only"),
        ([("pay  me", "parcel")], "1 text with more than one label"),
    ],
)
def test_each_oddity_gets_one_sentence(tmp_path: Path, rows: list[tuple[str, str]], said: str) -> None:
    table = read_labelled(written(tmp_path / "t.csv", [*GOOD, *rows]))
    (note,) = table.notes
    assert note.startswith("t.csv: ")
    assert said in note
    assert set(table.names) <= {"money", "parcel", "rare"}


def test_a_test_table_is_tested_on_what_was_not_trained(tmp_path: Path) -> None:
    train = read_labelled(written(tmp_path / "train.csv", GOOD))
    test = read_held_out(written(tmp_path / "test.csv", [(" pay  me", "money"), ("new", "PARCEL")]), train)
    assert (test.texts, test.labels) == (("new",), ("parcel",))
    assert test.notes[0].startswith("test.csv: 1 of 2 texts stand in train.csv too; they were left out")
    with pytest.raises(TableError, match=r"Every text of test\.csv stands in train\.csv too"):
        read_held_out(written(tmp_path / "test.csv", GOOD), train)
    with pytest.raises(TableError, match=r"1 label that train\.csv does not have: 'other'"):
        read_held_out(written(tmp_path / "test.csv", [("new", "other")]), train)


def test_the_most_frequent_spelling_wins() -> None:
    assert one_spelling(["A b", "a  B", "A b", "c"])[0] == ["A b", "A b", "A b", "c"]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from("abcde")), min_size=200, max_size=400),
    st.integers(0, 9),
    st.randoms(use_true_random=False),
)
def test_parts_share_no_text_and_lose_none(rows: list[tuple[int, str]], seed: int, lots: object) -> None:
    texts = [f"text {number}" for number, _ in rows]
    table = LabelledTable("t", tuple(texts), tuple(label for _, label in rows))
    try:
        parts = parted(table, seed=seed)
    except TableError:
        return
    sides = [set(part.keys) for part in (parts.train, parts.validation, parts.test)]
    assert len(set.union(*sides)) == sum(map(len, sides))
    assert sum(len(part.texts) for part in (parts.train, parts.validation, parts.test)) == len(rows)
    assert parts.train.names == table.names
    order = list(range(len(rows)))
    lots.shuffle(order)  # type: ignore[attr-defined]  # random.Random
    assert set(parted(table.rows(order), seed=seed).test.texts) == set(parts.test.texts)


def test_parts_keep_the_share_and_leave_lone_labels_to_training() -> None:
    labels = ["big"] * 500 + ["small"] * 20 + ["lone"]
    table = LabelledTable("t", tuple(f"{n}" for n in range(len(labels))), tuple(labels))
    parts = parted(table)
    assert 50 <= parts.test.labels.count("big") <= 51
    assert 2 <= parts.validation.labels.count("small") <= 3
    assert "lone" in parts.train.labels
    given_test = parted(table, parts.test)
    assert given_test.test is parts.test
    assert len(given_test.train.texts) > len(parts.train.texts)


def test_a_tiny_table_is_refused() -> None:
    table = LabelledTable("t.csv", tuple("abcdef"), tuple("xyxyxy"))
    with pytest.raises(TableError, match="6 different texts, too few"):
        parted(table)
