"""Any outcome table is read, or refused with one sentence."""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError, TableError
from edgewise.learning.tables import Layout, layout_of, objective_for, read_table, utilities
from edgewise.learning.tables.build import exact_parts

LONG = "prompt,candidate,quality,latency_s\na,edge,0.5,1\na,cloud,1,2\nb,edge,0,1\nb,cloud,1,4\n"


def written(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path, layout: Layout | None = None) -> str:
    with pytest.raises(TableError) as caught:
        read_table(path, layout).checked()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_long_table(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, LONG))
    assert table.prompts == ("a", "b")
    assert table.candidates == ("cloud", "edge")
    assert table.metric("quality").tolist() == [[1.0, 0.5], [1.0, 0.0]]
    assert table.edge() == ("edge",)
    assert table.notes == ()


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.jsonl.gz", "t.tsv"])
def test_every_kind_gives_the_same_table(tmp_path: Path, name: str) -> None:
    rows = list(csv.DictReader(LONG.splitlines()))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    text = lines if "jsonl" in name else LONG.replace(",", "\t") if "tsv" in name else LONG
    data = text.encode("utf-8-sig")  # with a byte order mark, as spreadsheets write it
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    table = read_table(path)
    plain = read_table(written(tmp_path, LONG, "plain.csv"))
    assert (table.prompts, table.candidates) == (plain.prompts, plain.candidates)
    assert np.array_equal(table.metric("latency_s"), plain.metric("latency_s"))


def test_parquet(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(
        arrow.table({"prompt": ["a", "a"], "candidate": ["x", "y"], "quality": [0.1, None]}), path
    )
    assert read_table(path).candidates == ("x",)


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "edgewise[parquet]" in refused(written(tmp_path, "x", "t.parquet"))


def test_a_wide_table(tmp_path: Path) -> None:
    text = "prompt,edge_qos,cloud_qos,edge_q,edge_ms\na,70,80,0.5,100\nb,60,,0.25,300\n"
    wide = "edge=edge_qos,cloud=cloud_qos,edge.quality=edge_q,edge.latency_ms=edge_ms"
    table = read_table(written(tmp_path, text), layout_of(wide=wide))
    assert table.candidates == ("edge", "cloud")
    assert table.metric("latency_s")[:, 0] == pytest.approx([0.1, 0.3])
    assert table.metric("quality")[:, 0] == pytest.approx([0.5, 0.25])
    assert np.isnan(table.metric("reward")[1, 1])
    assert any("no measured quality" in note for note in table.notes)


def test_a_candidate_with_dots_in_a_wide_table(tmp_path: Path) -> None:
    path = written(tmp_path, "prompt,x,y\na,1,2\nb,2,1\n")
    assert read_table(path, layout_of(wide="gpt-3.5=x,gpt-4.1.quality=y", quality_scale=2)).candidates == (
        "gpt-3.5",
        "gpt-4.1",
    )


def test_other_names_other_scale_and_the_edge(tmp_path: Path) -> None:
    path = written(tmp_path, "ask,who,quality_score\na,phi,50\na,big,100\n")
    table = read_table(path, layout_of(columns="prompt=ask,candidate=who", quality_scale=100, edge="phi"))
    assert table.metric("quality").tolist() == [[1.0, 0.5]]
    assert table.locations == {"big": "cloud", "phi": "edge"}


def test_repeated_rows_are_averaged_and_said(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, LONG + "a,edge,1,3\n"))
    assert table.metric("quality")[0, 1] == 0.75
    assert table.repeats.tolist() == [[1, 2], [1, 1]]
    assert any(note.startswith("1 rows repeat") for note in table.notes)


def test_nan_and_empty_cells_count_as_not_measured(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, LONG + "c,edge,nan,1\nc,cloud,1,nan\n,edge,1,1\nd,,1,1\n"))
    assert len(table) == 3
    said = " ".join(table.notes)
    assert "2 values" not in said
    assert "1 values of `quality` are NaN" in said
    assert "1 values of `latency_s` are NaN" in said
    assert "1 rows have no prompt" in said
    assert "1 rows have no candidate" in said


def test_failed_calls_count_as_quality_0(tmp_path: Path) -> None:
    text = "prompt,candidate,quality,status\na,x,,error\na,y,1,ok\nb,x,,cancelled\n"
    table = read_table(written(tmp_path, text))
    assert table.metric("quality").tolist() == [[0.0, 1.0]]
    assert any("failed calls" in note for note in table.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("prompt,candidate,quality\n", "no row that can be used"),
        ("prompt,quality\na,1\n", "no column `candidate`"),
        ("candidate,quality\na,1\n", "no column `prompt`"),
        ("prompt,candidate,stars\na,x,1\n", "neither `quality` nor `reward`"),
        ("prompt,candidate,quality\na,x,good\n", "row 1: `quality` is 'good', not a number"),
        ("prompt,candidate,quality\na,x,inf\n", "is infinite"),
        ("prompt,candidate,reward\na,x,1e200\n", "too large to be a measurement"),
        ("prompt,candidate,quality\na,x,90\n", "--quality-scale 100"),
        ("prompt,candidate,quality,latency_s\na,x,1,-2\n", "latency_s is negative"),
        ("prompt,candidate,quality,propensity\na,x,1,0\n", "propensity 0"),
        ("prompt,candidate,quality\na,x,1\nb,x,0\n", "one candidate only"),
        ("prompt,candidate,quality\na,x,nan\n", "NaN"),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(written(tmp_path, text))


def test_bad_files(tmp_path: Path) -> None:
    assert "Cannot read" in refused(tmp_path / "absent.csv")
    assert "Cannot read" in refused(written(tmp_path, "", "x.csv").parent / "folder.csv")
    assert "gzip" in refused(written(tmp_path, LONG, "t.csv.gz"))
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(LONG.encode())[:-20])
    assert "gzip" in refused(torn)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("prompt,candidate,quality\nGrüße,x,1\n".encode("latin-1"))
    assert "UTF-8" in refused(latin)
    assert "line 2 is not JSON" in refused(written(tmp_path, '{"prompt": "a"}\n{]\n', "t.jsonl"))
    assert "no JSON object" in refused(written(tmp_path, "[1]\n", "l.jsonl"))
    assert "no known kind" in refused(written(tmp_path, "x", "t.xlsx"))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    assert "Cannot read" in refused(tmp_path / "t.csv")


def test_a_huge_field_is_read(tmp_path: Path) -> None:
    long = "x" * 300_000
    table = read_table(written(tmp_path, LONG + f"{long},edge,1,1\n"))
    assert table.prompts[2] == long


def test_too_many_candidates_are_probably_another_column(tmp_path: Path) -> None:
    rows = "".join(f"p,c{number},1\n" for number in range(600))
    assert "--columns candidate=" in refused(written(tmp_path, "prompt,candidate,quality\n" + rows))


def test_a_large_table_is_sampled_by_prompt_in_any_order(tmp_path: Path) -> None:
    rows = [f"prompt {i},{c},{i % 2}\n" for i in range(400) for c in ("x", "y")]
    head = "prompt,candidate,quality\n"
    some = Layout(most_prompts=100)
    table = read_table(written(tmp_path, head + "".join(rows)), some)
    assert 30 < len(table) <= 100
    assert (table.repeats == 1).all()
    assert any("drawn by hash" in note and "of 800 rows" in note for note in table.notes)
    mixed = read_table(written(tmp_path, head + "".join(reversed(rows)), "r.csv"), some)
    assert set(mixed.prompts) == set(table.prompts)


def test_repeats_neither_fill_the_memory_nor_depend_on_their_order(tmp_path: Path) -> None:
    dice = random.Random(0)
    rows = [f"prompt {i % 3},{c},{dice.random() * 10 ** dice.randint(-9, 0)!r},{i % 11}\n"
            for i in range(3_000) for c in ("x", "y")]  # fmt: skip
    head = "prompt,candidate,quality,mission_criticality\n"
    table = read_table(written(tmp_path, head + "".join(rows)))
    assert (table.repeats == 1_000).all()
    dice.shuffle(rows)
    mixed = read_table(written(tmp_path, head + "".join(rows), "r.csv"))
    for one, other in ((table, mixed), (mixed, table)):
        place = [other.prompts.index(prompt) for prompt in one.prompts]
        assert one.metric("quality").tobytes() == other.metric("quality")[place].tobytes()
        key = "mission_criticality"
        assert one.criticality[key].tobytes() == other.criticality[key][place].tobytes()
    values = [float(row.split(",")[2]) for row in rows if row.startswith("prompt 0,x")]
    assert table.metric("quality")[0, 0] == math.fsum(values) / 1_000


def test_memory_is_bounded_by_the_cap_not_by_the_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        lines = (f"prompt number {i % 100} of many,{c},{i % 2}\n" for i in range(rows // 2) for c in "xy")
        path = written(tmp_path, "prompt,candidate,quality\n" + "".join(lines), f"{rows}.csv")
        tracemalloc.start()
        read_table(path, Layout(most_prompts=20))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(60_000) < 1.3 * peak(15_000)


@given(st.lists(st.floats(-1e90, 1e90, allow_subnormal=False), min_size=1, max_size=80))
def test_folding_changes_no_sum(values: list[float]) -> None:
    assert math.fsum(exact_parts(values)) == math.fsum(values)


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgewise.learning.tables.read.PROGRESS_ROWS", 2)
    heard: list[str] = []
    read_table(written(tmp_path, LONG), progress=heard.append)
    assert heard == ["t.csv: 2 rows read", "t.csv: 4 rows read"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wide": "edge"}, "NAME=COLUMN"),
        ({"wide": "a=x,a=y"}, "twice"),
        ({"quality_scale": 0.0}, "above 0"),
        ({"quality_scale": float("nan")}, "above 0"),
        ({"most_prompts": 0}, "at least 1"),
    ],
)
def test_bad_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(TableError, match=said):
        layout_of(**options)  # type: ignore[arg-type]  # the bad ones are the point


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout(columns={"candidate": "nobody"}), "no column 'nobody'"),
        (Layout(columns={"qualty": "quality"}), "no column of ours"),
        (Layout(wide={"edge": "nothing"}), "no column 'nothing'"),
        (Layout(wide={"edge.qualty": "quality"}), "'edge.quality' was meant"),
        (Layout(edge=("phi",)), "--edge names 'phi'"),
    ],
)
def test_a_layout_that_does_not_fit(tmp_path: Path, layout: Layout, said: str) -> None:
    assert said in refused(written(tmp_path, LONG), layout)


def test_objectives_of_a_table(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, LONG))
    objective, note = objective_for(table)
    assert objective.name == "qos"
    assert "default" in note
    assert utilities(table, objective)[0].tolist() == [1.5 + 0.75, 0.75 + 1.5]
    by_quality, note = objective_for(table, "quality-at-cost", weight=1)
    assert "no costs" in note
    assert np.array_equal(utilities(table, by_quality), table.metric("quality"))
    with pytest.raises(TableError, match="`cost_usd`"):
        objective_for(table, "cheapest-at-quality")
    with pytest.raises(SettingsError, match="'qos' was meant"):
        objective_for(table, "qoss")
    rewarded = read_table(written(tmp_path, "prompt,candidate,reward\na,x,70\na,y,80\n", "r.csv"))
    assert objective_for(rewarded)[0].name == "reward"


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=8), st.booleans())
def test_any_cells_give_a_table_or_a_sentence(cells: list[str], gz: bool) -> None:
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not mix

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("t.csv.gz" if gz else "t.csv")
        text = "prompt,candidate,quality\n" + ",".join(cells) + "\n"
        data = text.encode("utf-8", "surrogatepass")
        path.write_bytes(gzip.compress(data) if gz else data)
        try:
            assert len(read_table(path)) > 0
        except TableError as error:
            assert str(error)


TALK = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "Go"},
]


def test_conversations_are_prompts_however_they_are_written(tmp_path: Path) -> None:
    """As JSON in a cell, as a list under `prompt` or `messages`: the same prompt each time."""
    loose = json.dumps([{**turn, "name": "x"} for turn in TALK], indent=1)
    rows = [
        {"prompt": loose, "candidate": "edge", "quality": 1},
        {"prompt": TALK, "candidate": "cloud", "quality": 0},
        {"prompt": [{"role": "user", "content": "Hi"}], "candidate": "edge", "quality": 1},
        {"prompt": "Hi", "candidate": "cloud", "quality": 1},
    ]
    found = read_table(written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "t.jsonl"))
    assert found.prompts == (json.dumps(TALK, separators=(",", ":")), "Hi")
    assert found.repeats.tolist() == [[1, 1], [1, 1]]
    for row in rows:
        row["messages"] = row.pop("prompt")
    rows[0]["messages"], rows[3]["messages"] = TALK, [{"role": "user", "content": "Hi"}]
    again = read_table(written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "m.jsonl"))
    assert again.prompts == found.prompts


def test_private_rows_are_left_out_where_prompts_are_sent_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    rows = [
        {"prompt": f"prompt {n}", "candidate": who, "quality": 0.5, "privacy": "local" if n < 3 else None}
        for n in range(8)
        for who in ("a", "b")
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert len(read_table(path)) == 8
    kept = read_table(path, Layout(shareable=True))
    assert sorted(kept.prompts) == [f"prompt {n}" for n in range(3, 8)]
    assert any("6 rows were left out" in note for note in kept.notes)
