"""An evaluation judges by what choices realised, on new prompts, and says what it can't tell."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from tests import forked

from edgewise.domain.errors import TableError
from edgewise.learning.evaluate import Plan, Report, cross_validate, evaluate
from edgewise.learning.evaluate.page import write
from edgewise.learning.tables import OutcomeTable, layout_of, prompt_key
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective

SUBJECTS = {
    "sums": "Add {0} and {1}, then subtract {2} and divide by {3}; give the number.",
    "poems": "Write a poem in verse {0} about the moon, the sea and lonely sailors of {1} winters.",
    "history": "Which king ruled {0} years before the war, and why did the empire of {1} provinces fall?",
}
BEST = {"sums": (0.9, 0.6), "poems": (0.3, 0.9), "history": (0.55, 0.7)}


def made(count: int = 90, *, answers: bool = False, costs: bool = False, seed: int = 0) -> OutcomeTable:
    """Prompts of three subjects: the edge is better at sums, the cloud at poems."""
    dice = np.random.default_rng(seed)
    groups = [list(SUBJECTS)[i % 3] for i in range(count)]
    prompts = tuple(SUBJECTS[g].format(*dice.integers(2, 900, 4)) for g in groups)
    mean = np.array([BEST[g] for g in groups])
    quality = (mean + dice.normal(0, 0.05, mean.shape)).clip(0, 1)
    metrics = {
        "quality": quality,
        "latency_s": np.tile([0.2, 1.0], (count, 1)) + 0.01 * dice.random((count, 2)),
    }
    if costs:
        metrics["cost_usd"] = np.tile([0.0, 0.001], (count, 1))
    said = tuple("Certain: 42." if q > 0.5 else "I am not sure at all, perhaps maybe?" for q in quality[:, 0])
    return OutcomeTable(
        prompts=prompts,
        keys=tuple(prompt_key(p) for p in prompts),
        candidates=("edge", "cloud"),
        metrics=metrics,
        repeats=np.ones((count, 2), dtype=np.int64),
        locations={"edge": "edge", "cloud": "cloud"},
        groups=tuple(groups),
        responses={"edge": said} if answers else {},
    )


QUALITY = Objective("quality-at-cost")


def options(objective: Objective = QUALITY) -> TrainOptions:
    return TrainOptions(objective, learner="ridge")


def quiet(_: str) -> None:
    pass


@lru_cache(maxsize=1)
def validated() -> Report:
    return cross_validate(made(answers=True, costs=True), options(), Plan(3, 2), name="t.csv", say=quiet)


def row(report: Report, name: str):
    return next(policy for policy in report.policies if policy.name == name)


def test_a_constant_realises_its_candidates_mean() -> None:
    quality = made().metric("quality")
    for column, name in enumerate(("edge", "cloud")):
        found = row(validated(), f"always {name}")
        assert found.utility.mean == pytest.approx(quality[:, column].mean())
        assert found.sd == pytest.approx(quality[:, column].std())
        assert found.choices[name] == 90
    assert row(validated(), "random").utility.mean == pytest.approx(quality.mean())


def test_the_oracle_bounds_every_policy() -> None:
    top = row(validated(), "oracle")
    for policy in validated().policies:
        assert policy.utility.mean <= top.utility.mean + 1e-12
        assert policy.regret.mean >= -1e-12
    assert top.gap_closed.mean == pytest.approx(1)


def test_learning_beats_the_constants_where_there_is_something_to_learn() -> None:
    report = validated()
    against = {(c.policy, c.against): c for c in report.comparisons}
    assert against["learned", "best single"].verdict == "better"
    assert "better than best single" in against["learned", "best single"].sentence
    assert report.verdict == report.comparisons[0].sentence
    assert "no different from best baseline" in report.verdict  # the label and the length tell it all


def test_noise_is_no_different_from_a_constant() -> None:
    table = made()
    noise = np.random.default_rng(9).random((90, 2))
    table.metrics["quality"][:] = noise
    report = cross_validate(table, options(), Plan(3, 1), name="t", say=quiet)
    assert {c.verdict for c in report.comparisons} <= {"no different", "worse"}


def test_the_order_of_rows_changes_nothing() -> None:
    table = made(60)
    turned = table.take(np.random.default_rng(1).permutation(60))
    here, there = (cross_validate(t, options(), Plan(3, 1), name="t", say=quiet) for t in (table, turned))
    for one, other in zip(here.policies, there.policies, strict=True):
        assert one.name == other.name
        assert one.utility.mean == pytest.approx(other.utility.mean)
        assert one.utility.low == pytest.approx(other.utility.low)
        assert one.choices == pytest.approx(other.choices)


def test_curves_frontier_and_calibration() -> None:
    report = validated()
    plain, answered = report.deferral
    assert (plain.weak, plain.strong, plain.measure) == ("edge", "cloud", "quality")
    assert plain.apgr.low <= plain.apgr.mean <= plain.apgr.high
    assert row(report, "oracle").apgr > plain.apgr.mean > 0.5
    assert row(report, "task label").apgr > 0.5
    assert report.frontier is not None
    assert report.frontier.most_usd == pytest.approx(0.001)
    assert report.frontier.aiq > report.frontier.aiq_singles
    assert report.calibration is not None
    assert report.calibration.ece < 0.2
    assert answered.reads_answer


def test_an_answer_that_was_read_is_paid_for() -> None:
    report = validated()
    plain, answered = report.deferral
    assert plain.latency_s is not None
    assert answered.latency_s is not None
    assert plain.latency_s[0] == pytest.approx(answered.latency_s[0], abs=0.02)
    assert answered.latency_s[-1] == pytest.approx(plain.latency_s[-1] + plain.latency_s[0], abs=0.02)
    table = made(answers=True, costs=True)
    found = row(report, "learned, having read edge")
    share = found.choices["cloud"] / 90
    assert found.latency_s.mean == pytest.approx(0.205 + share * 1.005, abs=0.02)
    assert len(table.responses["edge"]) == 90


def test_prompts_of_the_training_part_are_not_counted() -> None:
    table = made(60)
    bundle = learn(table.take(range(40)), options()).bundle
    report = evaluate(bundle, table, name="t", trained_on=table.take(range(40)), say=quiet)
    assert report.prompts == 20
    assert report.leakage.seen == 40
    assert report.leakage.sentence.startswith("40 of 60 prompts were in the training part")
    assert report.trustworthy


def test_near_duplicates_are_told_beside_the_training_table() -> None:
    table = made(60)
    bundle = learn(table.take(range(40)), options()).bundle
    blind = learn(table.take(range(40)), replace(options(), sketches=False)).bundle
    alone = evaluate(blind, table.take(range(40, 60)), name="t", say=quiet)
    assert alone.leakage.near is None
    assert "--trained-on" in alone.leakage.sentence
    sighted = evaluate(bundle, table.take(range(40, 60)), name="t", say=quiet)
    assert sighted.leakage.near is not None
    assert "--trained-on" not in sighted.leakage.sentence
    beside = evaluate(
        bundle, table.take(range(40, 60)), name="t", trained_on=table.take(range(40)), say=quiet
    )
    assert beside.leakage.near is not None


def test_a_policy_that_saw_everything_gets_no_verdict() -> None:
    table = made(60)
    report = evaluate(learn(table, options()).bundle, table, name="t", say=quiet)
    assert not report.trustworthy
    assert report.leakage.sentence.startswith("All 60 prompts were in the training part")
    assert report.verdict.startswith("No verdict")
    assert report.comparisons == ()


def test_what_cannot_be_judged_is_refused() -> None:
    table = made(30)
    logged = OutcomeTable(
        table.prompts,
        table.keys,
        table.candidates,
        {**table.metrics, "propensity": np.full((30, 2), 0.5)},
        table.repeats,
    )
    with pytest.raises(TableError, match="edgewise replay"):
        cross_validate(logged, options(), Plan(), name="t", say=quiet)
    with pytest.raises(TableError, match="needed to judge"):
        cross_validate(table.take(range(3)), options(), Plan(), name="t", say=quiet)
    other = OutcomeTable(table.prompts, table.keys, ("x", "y"), table.metrics, table.repeats)
    with pytest.raises(TableError, match="at least two must be the same"):
        evaluate(learn(table, options()).bundle, other, name="t", say=quiet)


def test_candidates_that_only_one_side_knows_are_left_out() -> None:
    table = made(60)
    wider = OutcomeTable(
        table.prompts,
        table.keys,
        ("new", "cloud", "edge"),
        {"quality": np.column_stack([np.full(60, 0.5), table.metric("quality")[:, ::-1]])},
        np.ones((60, 3), dtype=np.int64),
        locations={"edge": "edge"},
    )
    bundle = learn(table.take(range(30)), options()).bundle
    report = evaluate(bundle, wider, name="t", say=quiet)
    assert report.candidates == ("cloud", "edge")
    assert any("does not know new" in note for note in report.notes)
    straight = evaluate(bundle, table, name="t", say=quiet)
    assert row(report, "learned").utility.mean == pytest.approx(row(straight, "learned").utility.mean)


def test_prompts_without_every_outcome_are_not_judged() -> None:
    table = made(60)
    table.metrics["quality"][:7, 0] = np.nan
    report = cross_validate(table, options(), Plan(3, 1), name="t", say=quiet)
    assert report.prompts == 53
    assert any(note.startswith("7 prompts lack") for note in report.notes)


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    names = write(validated(), tmp_path)
    assert {"evaluation.html", "evaluation.json", "utility.png", "quality.png", "latency_s.png"} <= set(names)
    text = (tmp_path / "evaluation.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:)|@import|url\(|<script", text)
    assert text.count("data:image/png;base64,") == sum(name.endswith(".png") for name in names)
    assert validated().leakage.sentence in text
    told = json.loads((tmp_path / "evaluation.json").read_text())
    assert next(p["name"] for p in told["policies"]) == "learned"
    assert (tmp_path / "utility.png").read_bytes().startswith(b"\x89PNG")


def saved(table: OutcomeTable, path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "candidate", "quality"])
        for i, prompt in enumerate(table.prompts):
            for j, candidate in enumerate(table.candidates):
                writer.writerow([prompt, candidate, table.metric("quality")[i, j]])
    return path


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return forked.decoded(forked.edgewise("evaluate", *words))


def test_the_command(tmp_path: Path) -> None:
    table = made(60)
    learn(table.take(range(40)), options()).save(tmp_path / "bundle")
    path = saved(table, tmp_path / "t.csv")
    ran = run(tmp_path / "bundle", path, "-o", tmp_path / "page")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("40 of 60 prompts were in the training part")
    assert (tmp_path / "page/evaluation.html").exists()
    told = run("--cv", "3x1", "--learner", "ridge", "--json", path)
    assert json.loads(told.stdout)["kind"] == "cross-validation"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cv", "5by5", "t.csv"), "FOLDSxREPEATS"),
        (("--cv", "1x5", "t.csv"), "FOLDSxREPEATS"),
        (("--cv", "5x5", "dir", "t.csv"), "give it one table"),
        (("t.csv",), "edgewise evaluate DIR TABLE"),
        (("nowhere", "t.csv"), "is no bundle"),
        (("dir", "t.csv", "--objective", "qos"), "--objective goes with --cv"),
        (("--cv", "5x5", "absent.csv"), "Cannot read"),
        (("--cv", "5x5", "t.csv", "--wide", "edge"), "NAME=COLUMN"),
    ],
)
def test_bad_input_ends_with_a_sentence(words: tuple[str, ...], said: str) -> None:
    ran = run(*words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_layout_options_are_shared() -> None:
    assert layout_of(edge="edge, phi").edge == ("edge", "phi")
