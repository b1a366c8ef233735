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


CONFIG = """
[policies.classify]
kind = "edge-first"
explore = 0.0

[[candidates]]
id = "small"
location = "edge"
kind = "classifier"
bundle = "moods"

[[candidates]]
id = "large"
location = "cloud"
kind = "classifier"
bundle = "moods"
price = { input = 0.0, output = 0.0, per_query = 0.001 }
"""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    made(tmp_path / "moods")
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    return tmp_path


def test_without_a_bundle_the_configured_candidates_are_asked_and_recorded(configured: Path) -> None:
    (configured / "in.jsonl").write_text(
        '{"text": "good", "label": "x"}\n{"text": ""}\n{"text": "bad late", "n": 2}\n'
    )
    words = ("classify", "--input", "in.jsonl", "--output", "out.jsonl", "--top", "1")
    ran = edgewise(*words, cwd=configured)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.decode() == (
        "1 row has an empty text, and got no label.\n2 texts: 2 at the edge, 0 in the cloud, for $0.000000.\n"
    )
    first, empty, last = lines((configured / "out.jsonl").read_bytes())
    assert (first["label"], first["true_label"], first["candidate"]) == ("praise", "x", "small")
    assert first["reason"] == "optimal_edge"
    assert (empty["label"], last["label"], last["n"]) == (None, "blame", 2)
    assert isinstance(last["probabilities"], dict)
    assert len(last["probabilities"]) == 1
    shown = edgewise("log", "export", "--format", "jsonl", cwd=configured)
    assert [row["prompt"] for row in lines(shown.stdout)] == ["good", "bad late"]


def test_a_pinned_candidate_answers_and_is_paid(configured: Path) -> None:
    ran = edgewise("classify", "--input", "-", "--model", "large", given=b"good\nbad\n", cwd=configured)
    assert ran.returncode == 0, ran.stderr
    assert {row["candidate"] for row in lines(ran.stdout)} == {"large"}
    assert ran.stderr.decode() == "2 texts: 0 at the edge, 2 in the cloud, for $0.002000.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "tickets"), "There is no task 'tickets'; there are ''."),
        (("--bundle", "moods", "--model", "large"), "--task and --model choose among configured candidates"),
    ],
)
def test_what_cannot_be_meant(configured: Path, words: tuple[str, ...], said: str) -> None:
    ran = edgewise("classify", "--input", "-", *words, given=b"good\n", cwd=configured)
    assert ran.returncode == 2
    assert said in ran.stderr.decode()


def test_bundles_of_one_task_must_know_the_same_labels(configured: Path) -> None:
    manifest = configured / "other" / "classifier.json"
    made(configured / "other")
    manifest.write_text(manifest.read_text().replace('"parcel"', '"letter"'))
    config = CONFIG.replace(
        'kind = "classifier"\nbundle = "moods"\nprice', 'kind = "classifier"\nbundle = "other"\nprice'
    )
    (configured / "edgewise.toml").write_text(config)
    said = complaint(edgewise("classify", "--input", "-", given=b"good\n", cwd=configured))
    assert "'small' and 'large' do not know the same labels (only one has 'letter')" in said


def test_without_any_classifier_it_says_so(tmp_path: Path) -> None:
    said = complaint(edgewise("classify", "--input", "-", given=b"good\n", cwd=tmp_path))
    assert "No classifier is configured; name a folder with --bundle" in said


def test_the_log_says_what_was_saved(configured: Path) -> None:
    for words, texts in (((), b"good\nbad\nbad\n"), (("--model", "large"), b"good\n")):
        assert edgewise("classify", "--input", "-", *words, given=texts, cwd=configured).returncode == 0
    told = json.loads(edgewise("log", "stats", "--labels", "--json", cwd=configured).stdout)
    assert (told["queries"], told["edge_share"], told["cloud_calls"]) == (4, 0.75, 1)
    assert told["cloud_only_usd"] == pytest.approx(0.004)
    assert told["saved_share"] == pytest.approx(0.75)
    shown = edgewise("log", "stats", "--hours", "1", "--cloud-usd", "0.002", cwd=configured).stdout.decode()
    assert "The cloud alone would have cost $0.008000" in shown
    assert "as stated): 87.5% saved." in shown


def test_the_doctor_looks_at_each_bundle(configured: Path) -> None:
    (configured / "edgewise.toml").write_text(
        CONFIG.replace('bundle = "moods"\nprice', 'bundle = "torn"\nprice')
    )
    made(configured / "torn")
    (configured / "torn" / "tokenizer.json").write_bytes(b"{}")
    checks = json.loads(edgewise("doctor", "--json", cwd=configured).stdout)
    found = {one["name"]: one for one in checks["checks"]}
    assert found["classifier small"]["state"] == "ok"
    assert "3 labels, fp32" in found["classifier small"]["found"]
    assert found["classifier large"]["state"] == "fail"
    assert "torn or was changed" in found["classifier large"]["found"]
