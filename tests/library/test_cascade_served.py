"""A cascade as it is configured: a bundle from disk reads the edge's answers, plain and streamed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.learning.synthetic import prompts, write_table

from edgewise import Router
from edgewise.domain.errors import SettingsError
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.objectives import Objective

GOOD, BAD = "The answer is 42, for certain.", "I am not sure, maybe, perhaps."
CANDIDATES = f"""
[[candidates]]
id = "small"
location = "edge"
script = {{ replies = ["{GOOD}", "{BAD}"] }}
[[candidates]]
id = "large"
location = "cloud"
script = {{ replies = ["from the cloud"] }}
price = {{ input = 1.0, output = 1.0 }}
"""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`reads` has read answers; `weighs` as well, and knows their worth alone; `blind` has read none."""
    folder = tmp_path_factory.mktemp("bundles")
    table = read_table(write_table(folder / "t.csv", 60, responses=True))
    for name, objective in (("reads", Objective("quality-at-cost", 0.05)), ("weighs", Objective("qos"))):
        learn(table, TrainOptions(objective, learner="ridge")).save(folder / name)
    without = read_table(write_table(folder / "without.csv", 60))
    learn(without, TrainOptions(Objective("quality-at-cost"), learner="ridge")).save(folder / "blind")
    return folder


def config(folder: Path, policy: str) -> Path:
    path = folder / "edgewise.toml"
    path.write_text(f'[policy]\nkind = "cascade"\nexplore = 0.0\n{policy}\n{CANDIDATES}')
    return path


@pytest.mark.parametrize("more", ["", "cascade = { confidence = 0.5 }"])
def test_good_answers_stay_and_bad_ones_go(bundles: Path, tmp_path: Path, more: str) -> None:
    prompt, _ = prompts(1, seed=7)[0]
    with Router(config(tmp_path, f'bundle = "{bundles / "reads"}"\n{more}')) as router:
        for streamed in (False, True):
            stays, goes = router.ask(prompt), router.ask(prompt)
            said = ["".join(asking) if streamed else asking.reply().text for asking in (stays, goes)]
            assert said == [GOOD, "from the cloud"]
            assert stays.decision is not None
            assert goes.decision is not None
            assert (stays.decision.chosen, stays.decision.reason) == ("small", "optimal_edge")
            assert (goes.decision.chosen, goes.decision.reason) == ("large", "low_confidence")
            assert goes.outcome is not None
            assert [a.candidate for a in goes.outcome.attempts] == ["small", "large"]
            evidence = goes.decision.evidence
            assert evidence["answer_read"] == evidence["escalated"] == 1.0
            assert evidence["quality"] < 0.5 < stays.decision.evidence["quality"]


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("blind", "", r"policy\.bundle has not learned to read answers; train it on a table with `resp"),
        ("weighs", "cascade = { confidence = 0.5 }", "needs forecasts of quality, .* was trained for 'qos'"),
        (
            "reads",
            'escalate = [{ name = "person", words = ["manage*"], stays = ["management"] }]',
            r'policy\.escalate\[0\]\.stays\[0\] is "management", which is escalated by the rule',
        ),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    bundles: Path, tmp_path: Path, name: str, more: str, said: str
) -> None:
    router = Router(config(tmp_path, f'bundle = "{bundles / name}"\n{more}'))
    with pytest.raises(SettingsError, match=said), router:
        pass
