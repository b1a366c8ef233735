"""`edgewise train` and `edgewise route`, as a user runs them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests import forked
from tests.conftest import two_candidates
from tests.learning.synthetic import prompts, write_table
from tests.servers import Mock, gateway

HARD, EASY = (prompt for prompt, _ in prompts(2, seed=99))


def edgewise(*words: str, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return forked.decoded(forked.edgewise(*words, given=given.encode(), cwd=cwd))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    table = write_table(folder / "t.csv", responses=True)
    ran = edgewise("train", str(table), "-o", str(folder / "b"), "--objective", "quality-at-cost")
    assert ran.returncode == 0, ran.stderr
    assert "ranks by quality" in ran.stderr
    return folder / "b"


def test_route_reads_jsonl_text_and_standard_input(bundle: Path, tmp_path: Path) -> None:
    lines = [{"prompt": HARD}, {"prompt": EASY}, {"prompt": HARD}]
    jsonl = tmp_path / "in.jsonl"
    jsonl.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = edgewise(
        "route", "--bundle", str(bundle), "--input", str(jsonl), "--output", str(tmp_path / "out.jsonl")
    )
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["prompt"] for line in told] == [HARD, EASY, HARD]
    assert told[0] == {**told[2], "micros": told[0]["micros"]}
    assert told[0]["candidate"] == "large"
    assert told[0]["location"] == "cloud"
    assert {"odds", "forecasts", "objections", "policy", "micros"} <= set(told[0])
    assert set(told[0]["forecasts"]["small"]) == {"quality", "latency_s", "cost_usd", "utility"}
    assert set(told[0]["forecasts"]["small"]["quality"]) == {"mean", "low", "high"}
    piped = edgewise("route", "--bundle", str(bundle), "--input", "-", given=f"{HARD}\n{EASY}\n")
    assert [json.loads(line)["candidate"] for line in piped.stdout.splitlines()] == [
        line["candidate"] for line in told[:2]
    ]


def test_route_reads_answers(bundle: Path) -> None:
    said = {"small": "The answer is 42, for certain."}, {"small": "I am not sure, maybe, perhaps."}
    given = "".join(json.dumps({"prompt": HARD, "responses": answers}) + "\n" for answers in said)
    ran = edgewise("route", "--bundle", str(bundle), "--input", "-", given=given)
    sure, unsure = (
        json.loads(line)["forecasts"]["small"]["utility"]["mean"] for line in ran.stdout.splitlines()
    )
    assert sure > unsure + 0.3


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("route",), "", "either a prompt or --input"),
        (("route", "--bundle", "nowhere", "hi"), "", "is no bundle"),
        (("route", "--bundle", "{b}", "--input", "nowhere.txt"), "", "Cannot read nowhere.txt"),
        (("route", "--bundle", "{b}", "--input", "-"), "one\n\nthree\n", "standard input, line 2 is empty"),
        (("route", "--bundle", "{b}", "--input", "-"), '{"text": "hi"}\n', "no JSON object with a `prompt`"),
        (("train", "nowhere.csv", "-o", "x"), "", "nowhere.csv"),
        (("train", "{t}", "-o", "x", "--objective", "qoss"), "", "Perhaps 'qos'"),
        (("train", "{t}", "-o", "x", "--learner", "autoo"), "", "Perhaps 'auto'"),
        (("train", "{t}", "-o", "x", "--features", "nothing"), "", "no features 'nothing'"),
        (("train", "{t}", "-o", "x", "--edge", "tiny"), "", "tiny"),
    ],
)
def test_bad_input_gets_a_sentence(
    bundle: Path, tmp_path: Path, words: tuple[str, ...], given: str, said: str
) -> None:
    filled = [word.replace("{b}", str(bundle)).replace("{t}", str(bundle.parent / "t.csv")) for word in words]
    ran = edgewise(*filled, given=given, cwd=tmp_path)
    assert ran.returncode == 2, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.iterdir())


def test_the_gateway_serves_a_bundle(bundle: Path, mock: Mock, tmp_path: Path) -> None:
    config = two_candidates(mock, f'[policy]\nkind = "bundle"\nbundle = "{bundle}"\nexplore = 0.0')
    config = config.replace('id = "tiny"', 'id = "small"').replace('id = "giant"', 'id = "large"')
    with gateway(tmp_path, config, env={"GIANT_KEY": "x"}) as running:
        for prompt, hard in prompts(6, seed=5):
            body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
            status, _ = running.post("/v1/chat/completions", body)
            assert status == 200
            told = running.get("/v1/decisions?limit=1")[1]["data"][0]
            assert told["policy"].startswith("bundle:")
            assert told["reason"] == "best_utility"
            assert set(told["forecasts"]["small"]) == {"quality", "latency_s", "cost_usd", "utility"}
            if hard:
                assert told["chosen"] == "large"
