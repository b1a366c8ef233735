"""From a table to a bundle to a decision."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.learning.synthetic import prompts, write_table

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.errors import BundleError, EdgewiseError, RequestError, TableError
from edgewise.domain.requests import Features, Situation
from edgewise.features.described import describer, version_of
from edgewise.learning.tables import Layout, OutcomeTable, read_table
from edgewise.learning.train import Target, Trained, TrainOptions, learn
from edgewise.learning.train.answers import describe_answers
from edgewise.policies.bundles import MANIFEST, Bundle, Learned
from edgewise.policies.checks import check_policy
from edgewise.policies.objectives import Objective

QUALITY = TrainOptions(Objective("quality-at-cost"))
UNSEEN = prompts(60, seed=99)
HARD, EASY = UNSEEN[0][0], UNSEEN[1][0]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> OutcomeTable:
    return read_table(write_table(tmp_path_factory.mktemp("tables") / "t.csv"))


@pytest.fixture(scope="module")
def trained(table: OutcomeTable) -> Trained:
    return learn(table, QUALITY)


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    trained.save(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_it_learns_who_is_better(trained: Trained) -> None:
    predicted = trained.bundle.forecast(describer("static")([prompt for prompt, _ in UNSEEN]))
    large, small = (trained.bundle.candidates.index(name) for name in ("large", "small"))
    gain = predicted.value[:, large] - predicted.value[:, small]
    hard = np.array([is_hard for _, is_hard in UNSEEN])
    assert gain[hard].mean() > gain[~hard].mean() + 0.4
    assert (predicted.low <= predicted.value).all()
    assert (predicted.value <= predicted.high).all()
    assert set(predicted.metrics) == {"quality", "latency_s", "cost_usd"}
    assert (predicted.metrics["latency_s"][:, small] < predicted.metrics["latency_s"][:, large]).all()
    assert (predicted.metrics["cost_usd"][:, small] == 0).all()  # it is free
    assert 0.001 < predicted.metrics["cost_usd"][:, large].mean() < 0.004
    assert ((predicted.metrics["quality"] >= 0) & (predicted.metrics["quality"] <= 1)).all()


def test_held_out_errors_are_in_the_manifest(trained: Trained) -> None:
    metrics = trained.bundle.manifest.heads["value"].metrics["small"]
    assert metrics["labels"] == 160
    assert 0 < (metrics["mae"] or 0) < 0.5
    assert (metrics["r2"] or 0) > 0.3
    assert 0 <= trained.bundle.manifest.metrics["calibration_error"] < 0.2


def test_twice_the_same_bytes(table: OutcomeTable, trained: Trained) -> None:
    again = learn(table, QUALITY)
    assert again.packed.files == trained.packed.files
    assert again.packed.manifest == trained.packed.manifest


def test_the_rows_order_does_not_change_the_version(table: OutcomeTable, trained: Trained) -> None:
    turned = learn(table.take(np.arange(len(table))[::-1]), QUALITY)
    assert turned.bundle.manifest.training.fingerprint == trained.bundle.manifest.training.fingerprint


def test_a_saved_bundle_says_the_same(trained: Trained, folder: Path) -> None:
    described = describer("static")([prompt for prompt, _ in UNSEEN])
    loaded = Bundle.load(folder).forecast(described)
    np.testing.assert_array_equal(loaded.value, trained.bundle.forecast(described).value)
    assert json.loads((folder / MANIFEST).read_text())["features"] == version_of("static")
    assert not list(folder.parent.glob(".*"))


def test_one_prompt_alone_says_the_same_as_among_many(trained: Trained) -> None:
    texts = [prompt for prompt, _ in UNSEEN]
    together = trained.bundle.forecast(describer("static")(texts)).value
    alone = np.vstack([trained.bundle.forecast(describer("static")([text])).value for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("harm", ["torn", "changed", "gone", "no manifest", "other schema", "outside"])
def test_a_damaged_bundle_is_refused(folder: Path, harm: str) -> None:
    victim = next(folder.glob("value-*.safetensors"))
    manifest = folder / MANIFEST
    if harm == "torn":
        victim.write_bytes(victim.read_bytes()[:-100])
    elif harm == "changed":
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    elif harm == "gone":
        victim.unlink()
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "other schema":
        manifest.write_text(manifest.read_text().replace('"schema": 1', '"schema": 99'))
    else:
        manifest.write_text(manifest.read_text().replace('"files": {', '"files": {"../x": "0",'))
    with pytest.raises(BundleError, match=str(folder)):
        Bundle.load(folder)


def test_something_else_is_not_overwritten(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match="no bundle"):
        trained.save(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def situation(text: str, *ids: str, version: str | None = None, objective: str | None = None) -> Situation:
    places = {"small": "edge", "large": "cloud"}
    candidates = tuple(Candidate(i, places.get(i, "cloud"), "device") for i in ids)  # type: ignore[arg-type]
    features = Features({}, describer("static")([text]), "text-1", version or version_of("static"))
    return Situation(features, Shortlist(candidates), {}, objective)


def test_as_a_policy(trained: Trained) -> None:
    policy = Learned(trained.bundle)
    hard = check_policy(policy, situation(HARD, "small", "large"))
    easy = check_policy(policy, situation(EASY, "small", "large"))
    assert hard.favourite == "large"
    assert set(hard.forecasts) == {"small", "large"}
    assert easy.forecasts["small"].quality is not None
    assert easy.forecasts["small"].quality.mean > hard.forecasts["small"].quality.mean  # type: ignore[union-attr]


def test_a_stranger_is_chosen_only_where_nobody_else_is_left(trained: Trained) -> None:
    policy = Learned(trained.bundle)
    assert policy.odds(situation("prove it", "new", "small")).favourite == "small"
    assert policy.odds(situation("prove it", "new")).favourite == "new"


def test_other_features_are_an_error(trained: Trained) -> None:
    with pytest.raises(BundleError, match="was trained on features"):
        Learned(trained.bundle).odds(situation("hi", "small", version="static-99"))


def test_a_request_may_have_its_own_objective(trained: Trained) -> None:
    policy = Learned(trained.bundle)
    text = HARD
    assert (
        policy.odds(situation(text, "small", "large", objective="qos")).favourite == "small"
    )  # 10 times as fast
    with pytest.raises(RequestError, match="needs forecasts of reward"):
        policy.odds(situation(text, "small", "large", objective="reward"))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_a_share_of_the_cloud(table: OutcomeTable, share: float) -> None:
    options = TrainOptions(Objective("quality-at-cost"), target=Target(cloud_share=share))
    bundle = learn(table, options).bundle
    unseen = [prompt for prompt, _ in prompts(300, seed=7)]
    chosen = bundle.forecast(describer("static")(unseen)).choice
    cloud = (chosen == bundle.candidates.index("large")).mean()
    assert abs(cloud - share) < 0.15


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (TrainOptions(QUALITY.objective, target=Target(0.2, 1.0)), "not both"),
        (TrainOptions(QUALITY.objective, learner="forest"), "no learner 'forest'"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(table: OutcomeTable, wrong: TrainOptions, said: str) -> None:
    done: list[str] = []
    with pytest.raises(EdgewiseError, match=said):
        learn(table, wrong, progress=done.append)
    assert not done


def test_answers_are_read(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "t.csv", responses=True))
    bundle = learn(table, QUALITY).bundle
    assert set(bundle.answers) == {"small", "large"}
    texts = ["explain some case", "explain some case"]
    answers = describe_answers(
        texts, ["The answer is 42, for certain.", "I am not sure, maybe, perhaps."], "static"
    )
    described = describer("static")(texts)
    predicted = bundle.forecast(described, {"small": (np.arange(2), answers)})
    small = bundle.candidates.index("small")
    assert predicted.metrics["quality"][0, small] > predicted.metrics["quality"][1, small] + 0.4


def test_logged_choices_are_weighed(tmp_path: Path) -> None:
    """Only the chosen candidate's row exists, and the dear one was rarely chosen where it was good."""
    path = tmp_path / "log.csv"
    with path.open("w") as file:
        file.write("prompt,candidate,quality,propensity\n")
        for number, (prompt, hard) in enumerate(prompts(300)):
            small = number % 5 != 0
            quality = float(not hard) if small else 1.0
            file.write(f"{prompt},{'small' if small else 'large'},{quality},{0.8 if small else 0.2}\n")
    table = read_table(path, Layout(edge=("small",)))
    assert table.is_bandit
    bundle = learn(table, QUALITY).bundle
    predicted = bundle.forecast(describer("static")([prompt for prompt, _ in UNSEEN])).value
    difficult = np.array([is_hard for _, is_hard in UNSEEN])
    own, other = bundle.candidates.index("small"), bundle.candidates.index("large")
    assert predicted[difficult, own].mean() < predicted[~difficult, own].mean() - 0.3
    assert predicted[:, other].mean() > 0.8


def test_three_prompts_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="at least 5"):
        learn(read_table(write_table(tmp_path / "t.csv", 3)), QUALITY)


def test_an_objective_without_its_columns(table: OutcomeTable) -> None:
    with pytest.raises(TableError, match="needs reward"):
        learn(table, TrainOptions(Objective("reward")))


def test_where_nothing_can_be_learned_the_best_single_candidate_is_chosen(tmp_path: Path) -> None:
    path = write_table(tmp_path / "noise.csv")
    dice = np.random.default_rng(1)
    lines = path.read_text().splitlines()
    with path.open("w") as file:
        file.write("prompt,candidate,location,quality\n")
        for line in lines[1:]:
            prompt, candidate, location, *_ = line.split(",")
            right = dice.random() < (0.7 if candidate == "large" else 0.6)
            file.write(f"{prompt},{candidate},{location},{float(right)}\n")
    trained = learn(read_table(path), QUALITY)
    chosen = trained.bundle.forecast(describer("static")([prompt for prompt, _ in UNSEEN])).choice
    assert {trained.bundle.candidates[i] for i in chosen} == {"large"}
    assert any("always large" in note for note in trained.notes)


def test_the_margin_does_not_hold_where_an_answer_was_read(tmp_path: Path) -> None:
    bundle = learn(read_table(write_table(tmp_path / "t.csv", responses=True)), QUALITY).bundle
    texts = [HARD, HARD]
    said = describe_answers(
        texts, ["The answer is 42, for certain.", "I am not sure, maybe, perhaps."], "static"
    )
    choice = bundle.forecast(describer("static")(texts), {"small": (np.arange(2), said)}).choice
    assert bundle.candidates[choice[1]] == "large"
