"""A bundle finds near-duplicates of its training prompts without having kept them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import forked
from tests.learning.made_up import prompts as said_prompts
from tests.learning.synthetic import prompts, write_table

from edgewise.learning.evaluate import evaluate
from edgewise.learning.tables import OutcomeTable, prompt_key, read_table, sketches
from edgewise.learning.tables.sketches import WIDTH, near, pooled, sketch
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.bundles import Bundle
from edgewise.policies.objectives import Objective

TEXT = "Write a short poem about the sea, the wind and a small wooden boat in the harbour of "
OTHERS = [f"Entirely different sentence number {n} on subject {n * n}." for n in range(40)]
OPTIONS = TrainOptions(Objective("quality-at-cost"), learner="ridge")


@given(st.lists(st.text(max_size=60), max_size=12), st.lists(st.text(max_size=60), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_was_seen_is_always_found_in_any_order(seen: list[str], other: list[str]) -> None:
    known = pooled(sketch([*seen, *other]))
    assert near(known, sketch(other)).all()
    assert known.tobytes() == pooled(sketch([*other[::-1], *seen[::-1], *seen])).tobytes()
    assert known.shape[1] == WIDTH
    assert not near(pooled(sketch([])), sketch(other)).any()


def test_one_word_more_is_near_and_another_text_is_not() -> None:
    known = pooled(sketch([TEXT + "Lisbon.", *OTHERS]))
    asked = [TEXT + "Lisbon!", TEXT.upper() + " Lisbon.", "Something else altogether.", TEXT[:30]]
    assert near(known, sketch(asked)).tolist() == [True, True, False, False]


def test_the_estimate_meets_the_similarity() -> None:
    """128 numbers of eight bits tell the Jaccard similarity to within four standard errors."""
    dice = np.random.default_rng(0)
    letters = "".join(dice.choice(list("abcdefghijklmnopqrstuvwxyz"), 2_000))
    for kept in (400, 1_000, 1_800):
        one, other = (
            letters,
            letters[:kept] + "".join(dice.choice(list("ABCDEFGHIJ0123456789"), 2_000 - kept)),
        )
        truth = kept / (4_000 - kept)
        equal = (sketch([one]) == sketch([other])).mean()
        assert abs((equal - 1 / 256) / (1 - 1 / 256) - truth) < 4 * (0.25 / WIDTH) ** 0.5


def nearly(table: OutcomeTable, count: int) -> OutcomeTable:
    """The table with a word more in its first `count` prompts, and all others foreign."""
    changed = [f"{text} {text} {text} ok" if n < count else f"foreign {n} {text[::-1]}"
               for n, text in enumerate(table.prompts)]  # fmt: skip
    return replace(table, prompts=tuple(changed), keys=tuple(prompt_key(text) for text in changed))


def test_an_evaluation_counts_them_by_itself(tmp_path: Path) -> None:
    trained_on = read_table(write_table(tmp_path / "t.csv", 60))
    tripled = replace(trained_on, prompts=tuple(" ".join([text] * 3) for text in trained_on.prompts))
    tripled = replace(tripled, keys=tuple(prompt_key(text) for text in tripled.prompts))
    learn(tripled, OPTIONS).save(tmp_path / "b")
    report = evaluate(Bundle.load(tmp_path / "b"), nearly(trained_on, 7), name="t", say=lambda _: None)
    assert report.leakage.near == 7
    assert report.leakage.sentence == (
        "None of the 60 prompts was in the training part. About 7 others nearly equal a training prompt."
    )
    assert report.prompts == 60


def test_they_can_be_left_out_and_an_older_bundle_has_none(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "t.csv", 60))
    bundle = learn(table, replace(OPTIONS, sketches=False)).bundle
    assert len(bundle.sketches) == 0
    report = evaluate(bundle, nearly(table, 7), name="t", say=lambda _: None)
    assert report.leakage.near is None
    assert "--trained-on" in report.leakage.sentence


def test_no_text_and_no_order_is_in_them_and_a_seed_gives_the_same_bytes() -> None:
    texts = [text for text, _ in prompts(300)]
    known = pooled(sketch(texts))
    assert known.nbytes == 300 * WIDTH
    assert known.tobytes() == pooled(sketch(texts)).tobytes()
    assert [row.tobytes() for row in known] == sorted(row.tobytes() for row in known)
    assert not any(
        word.encode() in known.tobytes() for text in texts for word in text.split() if len(word) > 3
    )


def test_seven_thousand_prompts_take_less_than_a_megabyte() -> None:
    assert 7_000 * WIDTH < 1_000_000


def test_of_very_many_a_sample_is_kept_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sketches, "MOST", 50)
    monkeypatch.setattr("edgewise.learning.evaluate.run.MOST", 50)
    texts = said_prompts(80, seed=4)[0]
    keys = [prompt_key(text) for text in texts]
    kept = sketch(texts, keys)
    assert len(kept) == 50
    turned = sketch(texts[::-1], keys[::-1])
    assert kept.tobytes() == turned.tobytes()
    table = read_table(write_table(tmp_path / "t.csv", 60))
    report = evaluate(learn(table, OPTIONS).bundle, nearly(table, 0), name="t", say=lambda _: None)
    assert "one of 50 sketched training prompts" in report.leakage.sentence


def test_the_option(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", 40)
    for folder, words in (("with", []), ("without", ["--no-sketches"])):
        ran = forked.edgewise("train", table, "--learner", "ridge", "-o", tmp_path / folder, *words)
        assert ran.returncode == 0, ran.stderr
    assert Bundle.load(tmp_path / "with").sketches.shape == (40, WIDTH)
    assert len(Bundle.load(tmp_path / "without").sketches) == 0
