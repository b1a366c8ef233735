"""`edgewise judge` as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.cli.running import edgewise
from tests.learning.judging import GOOD, Oracle, Reply, oracle

from edgewise.cli import judge as judge_cli
from edgewise.domain.errors import EdgewiseError
from edgewise.outcomes.aside import hold

CONFIG = """
[[candidates]]
id = "referee"
location = "cloud"
trust = "device"
url = "{url}"
price = {{ input = 1.0, output = 2.0 }}
[[candidates]]
id = "free"
location = "cloud"
url = "{url}"
"""
ANSWERS = [
    {
        "prompt": f"Question {n}?",
        "candidate": name,
        "location": place,
        "response": f"Answer {n} of {name}.",
        "latency_s": 0.1,
        "status": "ok",
    }
    for n in range(6)
    for name, place in (("small", "edge"), ("large", "cloud"))
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path / "home"))
    write(tmp_path / "t.jsonl", ANSWERS)
    return tmp_path


def write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def configured(place: Path, found: Oracle) -> Path:
    path = place / "edgewise.toml"
    path.write_text(CONFIG.format(url=found.mock.url))
    return path


def judged(place: Path, name: str = "j.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place / name).read_text().splitlines()]


def judge(place: Path, **options: Any) -> list[dict[str, Any]]:
    """The command in this process, for speed."""
    given = {"output": place / "j.jsonl", "criticality": False, "repeats": 1, **options}
    judge_cli.command(given.pop("what", place / "t.jsonl"), **given)
    return judged(place)


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "EDGEWISE_HOME": str(place / "home")}


def started(place: Path, *more: str, **how: Any) -> subprocess.Popen[bytes]:
    words = ["judge", "t.jsonl", "-o", "j.jsonl", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "edgewise.cli", *words], cwd=place, env=environment(place), **how
    )


def wait_for(what: Any, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


ONE_AT_A_TIME = ("--by", "referee", "--concurrency", "1", "--no-criticality", "--repeats", "1")


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_what_was_judged_before_a_kill_is_not_judged_again(place: Path, how: signal.Signals) -> None:
    """The fifth question hangs until the process is gone; a second run asks that one and what came after."""
    hangs = 5

    def reply(_: dict[str, Any], __: int) -> Reply:
        return 30.0 if len(found.mock.calls) == hangs else GOOD

    with oracle(reply) as found:
        configured(place, found)
        process = started(place, *ONE_AT_A_TIME, stderr=subprocess.PIPE)
        wait_for(lambda: len(found.mock.calls) == hangs)
        process.send_signal(how)
        if how is signal.SIGINT:  # the first waits for the call under way, the second does not
            time.sleep(0.3)
            process.send_signal(how)
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
        assert not (place / "j.jsonl").exists()
        if how is signal.SIGINT:
            assert "The same command goes on from here." in said
            assert "Traceback" not in said
        answered = set(found.asked) if len(found.asked) < hangs else set(list(found.asked)[: hangs - 1])
        again = started(place, *ONE_AT_A_TIME, stderr=subprocess.DEVNULL)
        assert again.wait(60) == 0
    assert len(found.asked) == len(ANSWERS)
    assert {what: found.asked[what] for what in answered} == dict.fromkeys(answered, 1)
    assert sorted(found.asked.values()) == [1] * (len(ANSWERS) - 1) + [2]
    assert [row["quality"] for row in judged(place)] == [0.8] * len(ANSWERS)


def test_the_budget_ends_it_before_it_is_exceeded(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost = (100 * 1.0 + 20 * 2.0) / 1e6  # of each of the oracle's verdicts
    with oracle(lambda _, __: GOOD) as found:
        config = configured(place, found)
        judge_cli.command(
            place / "t.jsonl", output=place / "j.jsonl", by=["referee"], criticality=False, repeats=1,
            dry_run=True, config=config, as_json=True,
        )  # fmt: skip
        (estimate,) = json.loads(capsys.readouterr().out)
        budget = estimate["most_usd"] / len(ANSWERS) + 4.5 * cost  # the fifth may just be asked
        made = judge(place, by=["referee"], budget_usd=budget, config=config)
        before = len(found.mock.calls)
        assert 3 <= before <= 7
        assert before * cost <= budget
        unjudged = [row for row in made if row["quality"] is None]
        assert len(unjudged) == len(ANSWERS) - before
        assert all("budget" in row["unjudged"] for row in unjudged)
        judge(place, by=["referee"], budget_usd=budget, config=config)  # it is the table's, not each run's
        assert len(found.mock.calls) <= before + 1  # one that was held back may just fit in now
        assert len(found.mock.calls) * cost <= budget
        assert {row["quality"] for row in judge(place, by=["referee"], config=config)} == {0.8}
        assert len(found.mock.calls) == len(ANSWERS)


def test_two_processes_do_not_pay_for_the_same_verdicts(place: Path) -> None:
    with oracle(lambda _, __: GOOD) as found, (place / "t.jsonl").open("rb") as file:
        config = configured(place, found)
        hold(file.fileno(), place / "t.jsonl")
        with pytest.raises(EdgewiseError, match="is being judged by another process"):
            judge(place, by=["referee"], config=config)
        assert found.mock.calls == []


def test_a_dry_run_without_a_judge_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with oracle(lambda _, __: GOOD) as found:
        config = configured(place, found)
        judge_cli.command(place / "t.jsonl", output=place / "j.jsonl", dry_run=True, config=config)
        assert capsys.readouterr().out == "Nobody would be asked: no judge is named (--by CANDIDATE).\n"


def test_a_dry_run_asks_nobody_and_knows_what_is_kept(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with oracle(lambda _, __: GOOD) as found:
        config = configured(place, found)
        for kept in (0, len(ANSWERS)):
            judge_cli.command(
                place / "t.jsonl", output=place / "j.jsonl", by=["referee"], criticality=False, repeats=1,
                dry_run=True, config=config, as_json=True,
            )  # fmt: skip
            (estimate,) = json.loads(capsys.readouterr().out)
            assert (estimate["calls"], estimate["kept"]) == (len(ANSWERS) - kept, kept)
            assert (estimate["most_usd"] > estimate["likely_usd"] > 0) is (kept == 0)
            if not kept:
                assert found.mock.calls == []
                assert not (place / "home" / "judged.sqlite").exists()
                judge(place, by=["referee"], config=config)
                capsys.readouterr()


def test_a_judge_that_never_judges_leaves_a_whole_table_and_exit_code_2(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with oracle(lambda _, __: "fnord \x1b]0;evil\x07") as found, pytest.raises(typer.Exit) as ended:
        judge(place, by=["referee"], retries=0, config=configured(place, found))
    assert ended.value.exit_code == 2
    shown = capsys.readouterr()
    assert "Nothing could be judged" in shown.err
    assert "\x1b" not in shown.err + shown.out
    rows = judged(place)
    assert [row["quality"] for row in rows] == [None] * len(ANSWERS)
    assert all(row["unjudged"] for row in rows)


def test_a_profile_is_judged_in_its_folder_with_a_page_that_asks_nobody(place: Path) -> None:
    profile = place / "profile"
    profile.mkdir()
    check = {"grader": "exact", "answer": "Answer 0 of small."}
    write(profile / "outcomes.jsonl", [{**line, "check": check} for line in ANSWERS[:4]] + ANSWERS[4:])
    with oracle(lambda _, __: GOOD) as found:
        judge_cli.command(
            profile, by=["referee"], config=configured(place, found), report=place / "report", repeats=2
        )
    made = judged(profile, "judged.jsonl")
    assert [row["judge"] for row in made] == ["exact"] * 4 + ["referee"] * 8
    page = (place / "report" / "judge.html").read_text()
    assert "http" not in page.replace("data:image/png", "")
    assert "referee against graders" in page
    names = {path.name for path in (place / "report").iterdir()}
    assert {"judge.html", "judge.json", "judge-scores.png"} <= names
    for name in names:
        if name.endswith(".png"):
            assert (place / "report" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_pairwise_asks_in_both_orders(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def reply(body: dict[str, Any], _: int) -> Reply:
        text = body["messages"][-1]["content"]
        first = text.split("ANSWER A begins ---\n")[1].split("\n---")[0]
        return json.dumps({"better": "A" if "large" in first else "B", "rationale": "so"})

    with oracle(reply) as found:
        made = judge(place, by=["referee"], pairwise=True, config=configured(place, found))
    assert len(found.mock.calls) == 12
    assert [row["quality"] for row in made] == [0.0, 1.0] * 6
    assert "6 pairs were compared in both orders" in capsys.readouterr().out


def test_without_a_judge_nobody_is_asked_and_ratings_count(place: Path) -> None:
    (place / "r.csv").write_text("prompt,candidate,stars\nQuestion 1?,large,4.5\n")
    made = judge(place, ratings=[place / "r.csv"])
    assert [row["quality"] for row in made if row["quality"] is not None] == [0.9]
    assert made[3]["judge"] == "human"
    assert "--by CANDIDATE" in made[0]["unjudged"]


class Terminal:
    """A rater at a pseudo-terminal."""

    def __init__(self, place: Path, *more: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = started(
            place, "--by-hand", "--rater", "ann", *more, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, patience_s: float = 60.0) -> None:
        """Read until `text` has come; what comes after it is for the next time."""
        deadline = time.monotonic() + patience_s
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._ours], [], [], 0.1)[0]:
                self.seen += os.read(self._ours, 65536).decode()
        self.seen = self.seen.split(text, 1)[1]

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def end(self) -> int:
        try:
            while os.read(self._ours, 65536):
                pass
        except OSError:  # the other side has gone
            pass
        os.close(self._ours)
        return self.process.wait(60)


def test_answers_are_rated_key_by_key_with_undo_skip_quit_and_resume(place: Path) -> None:
    write(place / "t.jsonl", [{**ANSWERS[0], "response": "\x1b]0;evil\x07 I am small."}, *ANSWERS[2:5]])
    first = Terminal(place)
    first.until("1 of 4")
    first.until("u undo")
    first.press("x")  # no key of ours
    first.press("9")
    first.until("2 of 4")
    first.press("0")
    first.until("3 of 4")
    first.press("u")
    first.until("2 of 4")
    first.press("3")
    first.until("3 of 4")
    first.press("q")
    first.until("2 left to rate")
    assert first.end() == 0
    assert not (place / "j.jsonl").exists()
    second = Terminal(place)
    second.until("1 of 2")
    second.press("s")
    second.until("2 of 2")
    second.press("6")
    second.until("1 left to rate")
    assert second.end() == 0
    qualities = sorted(row["quality"] for row in judged(place) if row["quality"] is not None)
    assert qualities == [pytest.approx(3 / 9, abs=1e-3), pytest.approx(6 / 9, abs=1e-3), 1.0]


def test_an_answer_can_do_nothing_to_the_terminal_and_names_nobody(place: Path) -> None:
    write(place / "t.jsonl", [{**ANSWERS[0], "response": "\x1b]0;evil\x07 I am small."}])
    ran = edgewise("judge", "t.jsonl", "-o", "j.jsonl", "--by-hand", "--stars", given=b"+\n", cwd=place)
    assert ran.returncode == 0, ran.stderr
    assert b"\x1b" not in ran.stdout
    assert b"\\x1b" in ran.stdout
    assert b"I am [the assistant]." in ran.stdout
    assert [row["quality"] for row in judged(place)] == [1.0]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"by": ["nobody"]}, "no candidate 'nobody' to judge by; there are referee, free"),
        ({"by": ["free"], "budget_usd": 1.0}, "free has no price"),
        ({"output": Path("j.csv")}, "ends in .jsonl"),
        ({"output": None}, "Say where the judged table goes"),
        ({"output": Path("t.jsonl")}, "give the judged one another name"),
        ({"what": Path("missing.jsonl")}, "missing.jsonl"),
        ({"what": Path()}, "it is no profile"),
        ({"ratings": [Path("no.csv")]}, "no.csv"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(place: Path, options: dict[str, Any], wrong: str) -> None:
    (place / "edgewise.toml").write_text(CONFIG.format(url="http://127.0.0.1:9/v1"))
    with pytest.raises(EdgewiseError, match=wrong):
        judge(place, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"pairwise": True},
        {"critic": True},
        {"combine": "best"},
        {"graders_only": True, "by": ["referee"]},
    ],
)
def test_options_that_do_not_go_together_exit_with_2(place: Path, options: dict[str, Any]) -> None:
    with pytest.raises(typer.Exit) as ended:
        judge(place, **options)
    assert ended.value.exit_code == 2
