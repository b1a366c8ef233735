"""What is unlike the training prompts is said to be so, and forecast as their mean."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from tests.learning.made_up import STATIC, prompts, table

from edgewise.features.described import describer
from edgewise.learning.tables import Layout, read_table
from edgewise.policies.learners.auto import AutoLearner
from edgewise.policies.learners.guard import Guard
from edgewise.policies.learners.protocol import folds

JUNK = ("asdkjh qwe zxcmnb 99", "你好世界" * 10, "", "x" * 5000, '{"a":[1,2,3]}' * 20)
DATA = Path(os.environ.get("EDGEWISE_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "routing").is_dir(), reason="the public tables are not here")


def test_junk_gets_the_prior_and_prompts_of_the_same_source_do_not():
    data = table(300)
    rule = AutoLearner().fit(data)
    said, far = rule.look(STATIC.describe(JUNK))
    assert far.sum() >= 4
    np.testing.assert_array_equal(said[far], np.tile(rule.stack.base, (int(far.sum()), 1)))
    assert rule.look(STATIC.describe(prompts(300, seed=7)[0]))[1].mean() <= 0.03


def test_with_few_prompts_nothing_is_called_unfamiliar():
    assert not Guard.fit(table(20).features).far(STATIC.describe(JUNK)).any()


@needs_data
def test_another_domain_is_flagged_and_held_out_prompts_are_not():
    found = read_table(DATA / "routing" / "mmlu_dev.csv.gz", Layout())
    described = describer("static")(found.prompts)
    fold = folds(np.unique(found.keys, return_inverse=True)[1], 2, 0)
    guard = Guard.fit(described.take(np.flatnonzero(fold == 0)))
    assert guard.far(described.take(np.flatnonzero(fold == 1))).mean() <= 0.02
    with (DATA / "banking77" / "test.csv").open(encoding="utf-8", newline="") as file:
        bank = [row["text"] for row in csv.DictReader(file)][:1000]
    assert guard.far(STATIC.describe(bank)).mean() >= 0.5
    sums = read_table(DATA / "routing" / "gsm8k.csv.gz", Layout())
    assert guard.far(STATIC.describe(sums.prompts)).mean() >= 0.5
    assert guard.far(STATIC.describe(JUNK)).sum() >= 4
