"""`edgewise learn`: the whole loop through the real command line, with models that know different things."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.running import edgewise
from tests.servers import Call, Mock, Send, mock_upstream

CONFIG = """
[profile]
system = ""
[[candidates]]
id = "sums"
location = "edge"
url = "{0}"
[[candidates]]
id = "capitals"
location = "cloud"
url = "{0}"
price = {{ input = 1.0, output = 2.0 }}
"""
CAPITALS = (
    "Paris",
    "Rome",
    "Oslo",
    "Bern",
    "Cairo",
    "Lima",
    "Quito",
    "Delhi",
    "Hanoi",
    "Accra",
    "Doha",
    "Riga",
)
WORDS = ("please", "exactly", "now", "kindly")


def prompts() -> list[dict[str, Any]]:
    """Half about sums, half about capitals; who is good at which, a word of the prompt gives away."""
    sums = [
        {
            "prompt": f"Add the numbers {n} and {n + 3}, {WORDS[n % 4]}: what is the sum?",
            "group": "sum",
            "check": {"grader": "numeric", "answer": 2 * n + 3},
        }
        for n in range(24)
    ]
    capitals = [
        {
            "prompt": f"Repeat {word} the name of this capital city, {name}, on the map.",
            "group": "capital",
            "check": {"grader": "exact", "answer": name},
        }
        for name in CAPITALS
        for word in WORDS[:2]
    ]
    return sums + capitals


@dataclass
class Knowing(Mock):
    """Both models behind one address: one can add, the other knows capitals, and neither knows the rest."""

    async def _answer(self, call: Call, send: Send) -> None:
        body = call.json
        asked = body["messages"][-1]["content"]
        said = "I do not know."
        if body["model"] == "sums" and "sum" in asked:
            said = str(sum(map(int, re.findall(r"\d+", asked))))
        elif body["model"] == "capitals" and (name := re.search(r"city, (\w+)", asked)):
            said = name[1]
        usage = {"prompt_tokens": 20, "completion_tokens": 4}
        delta: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": None}]}
        end: dict[str, Any] = {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": usage,
        }
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        for each in (delta, end):
            event = b"data: " + json.dumps(each).encode() + b"\n\n"
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def learned(tmp_path: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    options = ("--objective", "quality-at-cost", "--cv", "3x1", "--learner", "ridge")
    return edgewise("learn", "prompts.jsonl", "-o", "out", *options, *more, cwd=tmp_path)


def begun(tmp_path: Path, mock: Mock, given: list[dict[str, Any]]) -> None:
    (tmp_path / "edgewise.toml").write_text(CONFIG.format(mock.url))
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in given))


def test_from_an_empty_folder_to_a_policy_that_is_worth_it(tmp_path: Path) -> None:
    with mock_upstream(Knowing()) as mock:
        begun(tmp_path, mock, prompts())
        first = learned(tmp_path)
        assert first.returncode == 0, first.stderr.decode()
        calls = len(mock.calls)
        assert calls == 2 * 48 + 2  # each prompt once for each, and a warm-up call each
        again = learned(tmp_path)
        assert again.returncode == 0
        assert len(mock.calls) == calls
    lines = first.stdout.decode().splitlines()
    assert lines[-2].startswith("A learned policy is better than the best single candidate here (")
    assert "48 prompts that it had not seen" in lines[-2]
    assert "prompts would have been enough" in lines[-1]
    assert again.stdout.decode().splitlines() == lines[-2:]
    stages = ("prompts", "profile", "judge", "train", "evaluate")
    assert again.stderr.decode().splitlines()[:5] == [f"{stage}: done before" for stage in stages]
    state = json.loads((tmp_path / "out" / "learn.json").read_text())
    assert list(state["stages"]) == list(stages)
    found = state["verdict"]
    assert found["verdict"] == "better"
    assert found["difference"]["low"] > 0.2
    assert found["perfect"] > 0.4
    routed = edgewise(
        "route", "--bundle", "out/bundle", "Add the numbers 4 and 9: what is the sum?", cwd=tmp_path
    )
    assert json.loads(routed.stdout)["candidate"] == "sums"


def test_what_is_left_out_later_counts_no_more(tmp_path: Path) -> None:
    with mock_upstream(Knowing()) as mock:
        begun(tmp_path, mock, prompts()[14:34])
        third = f'[[candidates]]\nid = "third"\nlocation = "cloud"\nurl = "{mock.url}"\n'
        with (tmp_path / "edgewise.toml").open("a") as file:
            file.write(third + "price = { input = 1.0, output = 1.0 }\n")
        first = learned(tmp_path)
        assert first.returncode == 0, first.stderr.decode()
        done = learned(tmp_path, "--candidates", "sums,capitals", "--prompts", "12")
        assert done.returncode == 0, done.stderr.decode()
    assert "judged on 12 prompts" in done.stdout.decode()
    rows = [json.loads(line) for line in (tmp_path / "out" / "judged.jsonl").read_text().splitlines()]
    assert {row["candidate"] for row in rows} == {"sums", "capitals"}
    assert len(rows) == 24


def test_what_cannot_work_is_said_before_anybody_is_asked(tmp_path: Path) -> None:
    with mock_upstream(Knowing()) as mock:
        begun(tmp_path, mock, [{"prompt": f"Tell me about {name}."} for name in CAPITALS])
        said = learned(tmp_path)
        assert said.returncode == 2
        assert "None of the prompts has a `check`" in said.stderr.decode()
        assert mock.calls == []


def test_no_option_or_check_that_would_be_refused_later_is_paid_for_first(tmp_path: Path) -> None:
    code: dict[str, Any] = {"grader": "code", "function": "f", "cases": [{"args": [], "result": 1}]}
    with mock_upstream(Knowing()) as mock:
        begun(tmp_path, mock, [{"prompt": f"Write f, part {n}.", "check": code} for n in range(8)])
        assert "that may be used (8 have one that needs --run-code)" in complaint_of(learned(tmp_path))
        begun(tmp_path, mock, prompts()[:4])
        assert "4 prompts can be judged; learning and --cv need 5" in complaint_of(learned(tmp_path))
        made = edgewise("learn", "--generate", "sums", cwd=tmp_path)
        assert "have no `check`" in complaint_of(made)
        assert mock.calls == []


def test_a_candidate_that_is_not_there_ends_it_and_again_asks_once_more(tmp_path: Path) -> None:
    with mock_upstream(Knowing()) as mock:
        begun(tmp_path, mock, prompts()[:12] + prompts()[24:36])
        whole = (tmp_path / "edgewise.toml").read_text()
        there, away = whole.rsplit(mock.url, 1)
        (tmp_path / "edgewise.toml").write_text(f"{there}http://127.0.0.1:9/v1{away}")
        assert "No answer came from capitals" in complaint_of(learned(tmp_path))
        assert not (tmp_path / "out" / "judged.jsonl").exists()
        (tmp_path / "edgewise.toml").write_text(whole)
        again = learned(tmp_path, "--again")
        assert again.returncode == 0, again.stderr.decode()
        judged = (tmp_path / "out" / "judged.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in judged] == ["ok"] * 48


def complaint_of(ran: subprocess.CompletedProcess[bytes]) -> str:
    """What a command that refused said last: one sentence."""
    said = ran.stderr.decode()
    assert ran.returncode == 2, said
    assert "Traceback" not in said
    return said.splitlines()[-1]
