"""Which of five models, learned: profile, judge, forecast, choose by QoS; without a key, in about a minute.

    python examples/selection_tutorial.py [FOLDER] [PROMPTS]

The five models are simulated: a quick one, a thorough one, and three that are good at something. With models
of your own the table of step 1 comes from `edgewise profile` and `edgewise judge`; the rest stays as it is.
QoS is (1 + mission / 10) x quality + (1 + time / 10) / latency: quality counts for more where a prompt is
mission-critical, and speed where it is time-critical.
"""

import sys
from pathlib import Path

from edgewise.learning.evaluate import evaluate
from edgewise.learning.evaluate.page import write
from edgewise.learning.tables import objective_for, read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.learning.worlds import SELECTION, draw, make_prompts, outcome_rows, write_csv
from edgewise.policies.bundles import Bundle


def quiet(_: str) -> None:
    """Judging says what it is at; a tutorial need not."""


def main(folder: Path, count: int) -> None:
    # 1. What every model made of every prompt: seconds, a judge's quality, and how critical the prompt is.
    prompts = make_prompts(count, seed=1)
    kept = count * 2 // 3  # the rest is only looked at in the end
    write_csv(folder / "train.csv", outcome_rows(SELECTION, prompts[:kept]))
    write_csv(folder / "test.csv", outcome_rows(SELECTION, prompts[kept:]))

    # 2. Forecast quality, latency and both criticalities from the prompt; choose by QoS.
    table = read_table(folder / "train.csv")
    objective, note = objective_for(table, "qos")
    print(note)
    trained = learn(table, TrainOptions(objective))
    trained.save(folder / "bundle")
    for name in ("quality", "latency_s", "criticality"):
        for of, found in trained.bundle.manifest.heads[name].metrics.items():
            print(f"  {name} of {of}: off by {found['mae']:.2f} on held-out prompts (R2 {found['r2']:.2f})")

    # 3. Judge it on prompts that it has not seen, against each single model, chance, and who knew it all.
    report = evaluate(
        Bundle.load(folder / "bundle"), read_table(folder / "test.csv"), name="test.csv", say=quiet
    )
    write(report, folder)
    policies = ("learned", "random", *(f"always {name}" for name in report.candidates))
    draw(report, policies, folder / "policies.png", title="Five simulated models, unseen prompts")
    for policy in report.policies:
        if policy.name in (*policies, "oracle") and policy.utility:
            low, mean, high = policy.utility.low, policy.utility.mean, policy.utility.high
            print(f"{policy.name:>24}: QoS {mean:.3f} [{low:.3f}, {high:.3f}], measured")
    for comparison in report.comparisons:
        print(comparison.sentence)


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    main(Path(given.get(1, "selection")), int(given.get(2, "600")))
