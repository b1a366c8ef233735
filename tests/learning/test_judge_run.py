"""Rows in, judged rows out: whose word counts, what is drawn, what is never a 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.learning.judging import GOOD, Reply, judge_at, oracle, quoted, run

from edgewise.domain.errors import TableError
from edgewise.learning.graders import grade
from edgewise.learning.judge import Panel, Purse
from edgewise.learning.judge.answers import Answer, privacies, read_answers
from edgewise.learning.judge.blind import Blind
from edgewise.learning.judge.pairs import bradley_terry, compare, pairs_of, report
from edgewise.learning.judge.ratings import read_ratings, write_sheet
from edgewise.learning.judge.report import report_on
from edgewise.learning.judge.run import Found, asked, graded, rated, rows
from edgewise.learning.judge.show import sentences
from edgewise.learning.judge.work import Options, tasks
from edgewise.learning.tables import read_table

ONCE = Options(repeats=1, audit=0, criticality=False)


def row(prompt: str, candidate: str, response: str | None = "x", **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "candidate": candidate, "response": response, "latency_s": 0.5, **more}


def table(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def read(tmp_path: Path, *lines: dict[str, Any]) -> list[Answer]:
    return read_answers(table(tmp_path / "t.jsonl", *lines))


def ordering(body: dict[str, Any], _: int = 0) -> Reply:
    """A judge that likes long answers: of two it takes the longer one, wherever it stands."""
    text = body["messages"][-1]["content"]
    if "ANSWER A" not in text:
        return GOOD
    first = text.split("ANSWER A begins ---\n")[1].split("\n---")[0]
    second = text.split("ANSWER B begins ---\n")[1].split("\n---")[0]
    choice = "tie" if len(first) == len(second) else "A" if len(first) > len(second) else "B"
    return json.dumps({"rationale": "longer", "better": choice})


def test_graders_go_before_people_and_people_before_judges(tmp_path: Path) -> None:
    check = {"grader": "numeric", "answer": 4}
    answers = read(
        tmp_path,
        row("2+2?", "a", "4", check=check),
        row("2+2?", "b", "5", check=check),
        row("Why?", "a", "because"),
        row("Who?", "a", "me"),
        row("When?", "a", "now", quality=0.25, judge="older"),
        row("What?", "a", ""),
        row("Where?", "a", None, status="error"),
    )
    sheet = tmp_path / "r.csv"
    sheet.write_text("prompt,response,rating\n2+2?,4,1\nWhy?,because,6\n")
    found = Found(answers)
    with oracle(lambda _, __: GOOD) as judge:
        run(graded(found, grade))
        assert rated(found, read_ratings([sheet])) == 2
        run(asked(found, Panel([judge_at(judge)], Purse()), ONCE))
    made = rows(found)
    assert [(r["judge"], r["quality"]) for r in made] == [
        ("numeric", 1.0),
        ("numeric", 0.0),
        ("human", 0.6),
        ("referee", 0.8),
        ("older", 0.25),
        ("empty", 0.0),
        (None, None),
    ]
    assert made[-1]["unjudged"] == "The call failed: there is no answer."
    assert list(judge.asked.values()) == [1]


def test_code_that_was_not_run_is_left_to_judges_and_is_no_0(tmp_path: Path) -> None:
    check = {"grader": "code", "function": "f", "tests": [{"call": [1], "returns": 2}]}
    found = Found(read(tmp_path, row("Write f.", "a", "def f(x): return x + 1", check=check)))
    run(graded(found, lambda _, __: (None, "The code was not run.")))
    assert rows(found)[0]["quality"] is None
    assert rows(found)[0]["unjudged"] == "The code was not run."
    with oracle(lambda _, __: GOOD) as judge:
        run(asked(found, Panel([judge_at(judge)], Purse()), ONCE))
    assert (rows(found)[0]["quality"], rows(found)[0]["judge"]) == (0.8, "referee")


def test_a_judge_is_measured_against_graders_people_and_itself(tmp_path: Path) -> None:
    def reply(body: dict[str, Any], _: int) -> Reply:
        right = "right" in body["messages"][-1]["content"].split("ANSWER begins")[1]
        return json.dumps({"score": 90 if right else 10})

    lines = [
        row(f"{n}?", "a", "right" if n % 2 else "wrong", check={"grader": "exact", "answer": "right"})
        for n in range(20)
    ]
    found = Found(read(tmp_path, *lines))
    with oracle(reply) as judge:
        run(graded(found, grade))
        run(asked(found, Panel([judge_at(judge)], Purse()), Options(audit=12, repeat_sample=8)))
    made = report_on(found, rows(found), table="t")
    (against,) = made.agreements
    assert (against.judge, against.reference, against.n) == ("referee", "graders", 12)
    assert against.spearman.mean == pytest.approx(1)
    assert against.kappa.mean == 1
    assert against.auc.mean == 1
    assert against.difference.mean == pytest.approx(0.1)
    (again,) = made.consistencies
    assert (again.n, again.same.mean) == (8, 1)
    assert any("referee against graders, on 12 answers; few" in said for said in sentences(made))


def test_the_same_answer_is_judged_once_and_private_wherever_its_prompt_is(tmp_path: Path) -> None:
    found = Found(
        read(
            tmp_path,
            row("Why?", "a", "same"),
            row("Why?", "b", "same"),
            row("Who?", "a", "me", privacy="local"),
            row("Who?", "b", "you"),
        )
    )
    with oracle(lambda _, __: GOOD) as judge:
        run(asked(found, Panel([judge_at(judge, trust="cloud")], Purse()), ONCE))
    assert len(judge.mock.calls) == 1
    made = rows(found)
    assert [r["quality"] for r in made] == [0.8, 0.8, None, None]
    assert "private" in made[3]["unjudged"]


def test_criticality_is_asked_once_a_prompt(tmp_path: Path) -> None:
    both = '{"rationale": "so", "mission_criticality": 7, "time_criticality": 2.5}'
    found = Found(read(tmp_path, row("Why?", "a", quality=1), row("Why?", "b", quality=0)))
    with oracle(lambda _, __: both) as judge:
        run(asked(found, Panel([judge_at(judge)], Purse()), Options(audit=0)))
    assert len(judge.mock.calls) == 1
    assert [(r["mission_criticality"], r["time_criticality"]) for r in rows(found)] == [(7, 2.5)] * 2


def test_the_critic_sees_what_was_measured_and_gives_both_places_a_qos(tmp_path: Path) -> None:
    found = Found(
        read(
            tmp_path,
            row("Fire!", "small", "run", location="edge", quality=0.6),
            row("Fire!", "large", "please leave", location="cloud", quality=0.9),
            row("Hm?", "small", "hm", location="edge", quality=0.6),
        )
    )
    said = '{"rationale": "time-critical", "qos_edge": 84, "qos_cloud": 36}'
    with oracle(lambda _, __: said) as judge:
        run(asked(found, Panel([judge_at(judge)], Purse()), Options(audit=0, criticality=False, critic=True)))
    assert len(judge.mock.calls) == 1
    assert "edge: latency 500 ms, quality 0.6000\ncloud: latency 500 ms, quality 0.9000" in quoted(
        judge.bodies[0]
    )
    assert [r.get("critic_qos") for r in rows(found)] == [84, 36, None]


def test_the_order_of_asking_is_drawn_and_the_same_after_a_restart(tmp_path: Path) -> None:
    answers = read(tmp_path, *(row(f"{n}?", "a" if n < 20 else "b") for n in range(40)))
    order = [task.prompt for task in tasks(answers, (), ONCE)]
    assert order == [task.prompt for task in tasks(list(reversed(answers)), (), ONCE)]
    assert order != [answer.prompt for answer in answers]
    assert order != [t.prompt for t in tasks(answers, (), Options(repeats=1, criticality=False, seed=1))]
    repeated = tasks(answers, (), Options(repeats=3, repeat_sample=5, criticality=False))
    assert [task.repeats for task in repeated] == [3] * 5 + [1] * 35


def test_pairs_are_shown_in_both_orders_and_wins_become_quality(tmp_path: Path) -> None:
    lines = [
        row(f"{n}?", name, "x" * size) for n in range(6) for name, size in (("a", 1), ("b", 5), ("c", 9))
    ]
    answers = read(tmp_path, *lines)
    found = Found(answers)
    with oracle(ordering) as judge:
        found.tournament = run(compare(Panel([judge_at(judge)], Purse()), pairs_of(answers)))
    assert len(judge.mock.calls) == 6 * 3 * 2
    assert [r["quality"] for r in rows(found)] == [0.0, 0.5, 1.0] * 6
    made = report(found.tournament)
    assert made.first_wins.mean == 0.5
    assert made.split.mean == 0
    assert made.strength["a"].mean < made.strength["b"].mean < made.strength["c"].mean
    assert made.win_share["c"].mean == 1


def test_a_judge_that_always_takes_the_first_says_nothing_about_the_answers(tmp_path: Path) -> None:
    answers = read(tmp_path, *(row(f"{n}?", name, name * 3) for n in range(6) for name in "ab"))
    found = Found(answers)
    with oracle(lambda _, __: '{"better": "A"}') as judge:
        found.tournament = run(compare(Panel([judge_at(judge)], Purse()), pairs_of(answers)))
    assert {r["quality"] for r in rows(found)} == {0.5}
    made = report(found.tournament)
    assert (made.first_wins.mean, made.split.mean) == (1, 1)
    assert "order" in rows(found)[0]["rationale"]


def test_a_pair_without_a_verdict_is_unjudged(tmp_path: Path) -> None:
    answers = read(tmp_path, row("Why?", "a", "one"), row("Why?", "b", "two"), row("Alone?", "a", "yes"))
    found = Found(answers)
    with oracle(lambda _, __: "fnord") as judge:
        found.tournament = run(compare(Panel([judge_at(judge)], Purse()), pairs_of(answers)))
    made = rows(found)
    assert [r["quality"] for r in made] == [None] * 3
    assert "holds no verdict" in made[0]["unjudged"]
    assert "not compared" in made[2]["unjudged"]
    with pytest.raises(TableError, match="two candidates"):
        pairs_of(answers[2:])


def test_bradley_terry_finds_the_strengths_it_was_drawn_from() -> None:
    true = np.array([1.0, 2.0, 4.0])
    wins = 10_000 * true[:, None] / (true[:, None] + true[None, :])
    np.fill_diagonal(wins, 0)
    found = bradley_terry(wins)
    ratio = found / (1 - found)
    assert ratio / ratio[0] == pytest.approx(true, rel=0.01)


def test_a_sheet_is_blind_shuffled_and_comes_back(tmp_path: Path) -> None:
    answers = read(
        tmp_path,
        *(row(f"{n}?", "tiny-7b", f"I am tiny-7b. {n}") for n in range(12)),
        row("=1+1", "tiny-7b", "=cmd()"),
    )
    sheet = tmp_path / "sheet.csv"
    assert write_sheet(sheet, answers, Blind(["tiny-7b"])) == 13
    text = sheet.read_text()
    assert "tiny-7b" not in text
    assert '"=' not in text
    lines = text.splitlines()
    assert lines[1:] != sorted(lines[1:])
    filled = [line[: -len('"",""')] + f'"{n}","ann"' for n, line in enumerate(lines[1:11])]
    sheet.write_text("\n".join([lines[0], *filled]) + "\n")
    ratings = read_ratings([sheet])
    assert len(ratings) == 10
    assert sum(ratings.quality(answer) is not None for answer in answers) == 10
    with pytest.raises(TableError, match="there already"):
        write_sheet(sheet, answers, Blind())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("id,rating\nk,eleven\n", "line 2: the rating is 'eleven'"),
        ("id,rating\nk,5\nk,11\n", "line 3: the rating 11 lies outside 0 to 10"),
        ("id,quality\nk,-1\n", "outside 0 to 1"),
        ("id,comment\nk,good\n", "has no column `rating`"),
        ("rating\n5\n", "does not say what was rated"),
    ],
)
def test_a_bad_sheet_is_a_sentence(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=wrong):
        read_ratings([path])


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"prompt": "a", "candidate": "b"}, "no column `response`"),
        (row("a", "b", quality=3), "row 1: quality 3 lies outside 0 to 1"),
        (row("a", "b", quality="x"), "not a number"),
        (row("a", "b", check="{"), "`check` is not JSON"),
        (row("a", "b", check=[1]), "`check` is no object"),
        (row(" ", "b"), "no row with a prompt"),
    ],
)
def test_a_bad_table_is_a_sentence(tmp_path: Path, line: dict[str, Any], wrong: str) -> None:
    with pytest.raises(TableError, match=wrong):
        read(tmp_path, line)


def test_rows_nobody_judged_do_not_poison_training(tmp_path: Path) -> None:
    lines = [row(f"{n}?", "a", quality=1.0) for n in range(4)]
    lines += [row(f"{n}?", "b", quality=None, unjudged="The judge refused.") for n in range(4)]
    lines += [row(f"{n}?", "b", quality=0.5) for n in range(2)]
    found = read_table(table(tmp_path / "j.jsonl", *lines))
    quality = found.metric("quality")
    assert quality[:, 0].tolist() == [1.0] * 4
    assert quality[:2, 1].tolist() == [0.5, 0.5]
    assert np.isnan(quality[2:, 1]).all()
    assert any("4 rows have no measured quality" in note for note in found.notes)


def test_white_space_takes_no_promise_back(tmp_path: Path) -> None:
    answers = read(tmp_path, row("Who is Ada?", "a"), row("Who  is Ada?\n", "b", privacy="local"))
    assert set(privacies(answers).values()) == {"local"}
    assert {task.privacy for task in tasks(answers, (), ONCE)} == {"local"}
