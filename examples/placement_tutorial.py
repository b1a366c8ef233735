"""Edge or cloud, learned: from prompts to the figure of three policies, without a key, in half a minute.

    python examples/placement_tutorial.py [FOLDER] [PROMPTS]

The world is simulated, with the published settings: an edge of 120 ms (sd 30) and quality .60, a cloud of
650 ms (sd 120) and .78, both with sd .10, and a critic who looks at speed where time matters and at quality
elsewhere. Everything after the first step is what you would do with candidates and ratings of your own.
"""

import sys
from pathlib import Path

from edgewise import Router
from edgewise.learning.evaluate import evaluate
from edgewise.learning.evaluate.page import write
from edgewise.learning.tables import objective_for, read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.learning.worlds import PLACEMENT, draw, make_prompts, outcome_rows, write_csv
from edgewise.policies.bundles import Bundle

CONFIG = """
[policy]
kind = "bundle"
bundle = "{bundle}"
explore = 0.0
[[candidates]]
id = "edge"
location = "edge"
script = {{ replies = ["(simulated) The edge answers at once."] }}
network = {{ delay_ms = 120, jitter_ms = 30 }}
[[candidates]]
id = "cloud"
location = "cloud"
price = {{ input = 0.15, output = 0.60 }}
script = {{ replies = ["(simulated) The cloud answers with care."] }}
network = {{ delay_ms = 650, jitter_ms = 120 }}
"""


def quiet(_: str) -> None:
    """Judging says what it is at; a tutorial need not."""


def main(folder: Path, count: int) -> None:
    # 1. Prompts, half of them time-critical, and what both arms and the critic made of each.
    prompts = make_prompts(count)
    kept = count * 2 // 3  # the rest is only looked at in the end
    write_csv(folder / "train.csv", outcome_rows(PLACEMENT, prompts[:kept]))
    write_csv(folder / "test.csv", outcome_rows(PLACEMENT, prompts[kept:]))

    # 2. Learn to forecast each arm's QoS from the prompt alone.
    table = read_table(folder / "train.csv")
    objective, _ = objective_for(table, "reward")
    bundle = folder / "bundle"
    learn(table, TrainOptions(objective)).save(bundle)

    # 3. Judge it on prompts that it has not seen, by what its choices realised.
    report = evaluate(Bundle.load(bundle), read_table(folder / "test.csv"), name="test.csv", say=quiet)
    write(report, folder)
    policies = ("always edge", "always cloud", "learned")
    draw(report, policies, folder / "three_policies.png", title="A simulated world, unseen prompts")
    for policy in report.policies:
        if policy.name in (*policies, "oracle") and policy.utility:
            low, mean, high = policy.utility.low, policy.utility.mean, policy.utility.high
            print(f"{policy.name:>12}: QoS {mean:.1f} [{low:.1f}, {high:.1f}], measured")
    for comparison in report.comparisons:
        print(comparison.sentence)

    # 4. Let it decide.
    config = folder / "edgewise.toml"
    config.write_text(CONFIG.format(bundle=bundle.resolve().as_posix()))
    with Router(config) as router:
        for prompt in (
            "A bee stung my hand, what do I do?",
            "Explain step by step how to assemble an oak desk.",
        ):
            reply = router.ask(prompt).reply()
            print(f"{reply.decision.chosen}: {prompt}")


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    main(Path(given.get(1, "placement")), int(given.get(2, "1000")))
