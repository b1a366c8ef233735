from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewise.learning.distill.measuring import paired_error
from edgewise.learning.distill.searching import Recipe, smallest
from edgewise.upstreams.classifier import ClassifierManifest, Learned

SIZES = {"fp32": 90, "int8": 23, "cut-int4": 8, "layers3-int4": 4}


def manifest(
    name: str, accuracy: float, ms: float = 3.0, error: float = 0.0, texts: int = 500
) -> ClassifierManifest:
    metrics: dict[str, Any] = {
        "bytes": SIZES[name],
        "validation": {"accuracy": accuracy, "texts": texts},
        "paired_error": error,
        "cpu_ms": {"p50": ms},
    }
    learned = Learned("base", 1, 1, 1, "", 0)
    return ClassifierManifest(1, "classifier", "v", ("a", "b"), name, 1.0, 8, learned, metrics, {})


def chosen(*others: ClassifierManifest, keep: float = 0.99, texts: int = 500) -> tuple[str, list[str]]:
    found = {"fp32": manifest("fp32", 0.900, 7.0, texts=texts)}
    found |= {one.recipe: one for one in others}
    said: list[str] = []
    return smallest(found, keep, said.append), said


def test_the_smallest_that_keeps_enough_is_chosen_and_no_smaller_one() -> None:
    others = (manifest("int8", 0.9), manifest("cut-int4", 0.892))
    assert chosen(*others)[0] == "cut-int4"
    assert chosen(*others, keep=0.995)[0] == "int8"


def test_a_student_needs_a_standard_error_to_spare_and_the_same_network_does_not() -> None:
    cut = manifest("cut-int4", 0.892, error=0.01)
    assert chosen(cut, manifest("layers3-int4", 0.895, error=0.01))[0] == "cut-int4"
    assert chosen(cut, manifest("layers3-int4", 0.895, error=0.001))[0] == "layers3-int4"


def test_a_slower_one_is_chosen_only_where_no_other_keeps_enough() -> None:
    slow = manifest("cut-int4", 0.9, ms=9.0)
    assert chosen(slow, manifest("int8", 0.9))[0] == "int8"
    assert chosen(slow, manifest("int8", 0.5))[0] == "fp32"


def test_a_time_that_differs_by_chance_does_not_decide() -> None:
    assert chosen(manifest("cut-int4", 0.9, ms=7.5), manifest("int8", 0.9))[0] == "cut-int4"


def test_where_nothing_keeps_enough_it_says_so() -> None:
    name, said = chosen(manifest("int8", 0.5))
    assert name == "fp32"
    assert said == ["No compressed model keeps 99.0% of the accuracy on the validation part; it stays fp32."]


def test_where_one_text_is_more_than_may_be_lost_it_says_so() -> None:
    assert chosen(manifest("int8", 0.89), keep=0.991, texts=100)[1][1] == (
        "Of its 100 texts a single one is more than that: give more rows, or a lower --keep."
    )


def test_recipes_of_the_full_model_go_by_their_bits() -> None:
    assert [Recipe(*one).name for one in (("fp32", "int8"), ("cut", "int4"))] == ["int8", "cut-int4"]


@pytest.mark.parametrize(("wrong", "error"), [(0, 0.0), (25, np.sqrt(0.25 * 0.75 / 100))])
def test_the_error_of_a_difference_counts_only_texts_on_which_two_models_differ(
    wrong: int, error: float
) -> None:
    labels = np.zeros(100, np.int64)
    full = np.tile(np.array([[1, 0]], np.float32), (100, 1))
    small = full.copy()
    small[:wrong] = [0, 1]
    assert paired_error(small, full, labels) == pytest.approx(error, abs=1e-6)
