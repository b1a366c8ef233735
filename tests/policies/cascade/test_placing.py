"""`cascade.json`: when an edge answer may stand, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edgewise.domain.errors import BundleError
from edgewise.domain.labels import Said
from edgewise.features.text import TextFeatures
from edgewise.policies.cascade.placing import (
    FACTORS,
    FILE,
    OutOfScope,
    Placing,
    factors,
    read_placing,
    sigmoid,
)

PLACING = Placing(1, "abc", "fp32:def", -1.0, {"doubt": 1.0}, 0.2)
SURE = Said("a", {"a": 0.97, "b": 0.02, "c": 0.01}, -9.0)
UNSURE = Said("a", {"a": 0.5, "b": 0.4, "c": 0.1}, -9.0)


def named(text: str = "Where is my card?") -> dict[str, float]:
    return TextFeatures().measure(text)


def test_doubt_decides_and_names_itself() -> None:
    assert PLACING.judged(SURE, named()).reason == "optimal_edge"
    judged = PLACING.judged(UNSURE, named())
    assert (judged.stands, judged.reason) == (False, "low_confidence")
    assert judged.risk == pytest.approx(sigmoid(-1.0))  # doubt of one half is nothing either way
    assert judged.evidence["threshold"] == 0.2


def test_the_text_may_weigh_more_than_the_doubt() -> None:
    heated = Placing(1, "abc", "x", -4.0, {"doubt": 0.1, "emotion": 4.0, "escalation": 4.0}, 0.2)
    assert heated.judged(UNSURE, named()).stands
    judged = heated.judged(UNSURE, named("Terrible, awful, horrible. I want your manager, or a lawyer"))
    assert (judged.stands, judged.reason) == (False, "high_complexity")


@pytest.mark.parametrize(("kind", "limit"), [("energy", -9.5), ("probability", 0.02), ("entropy", 0.1)])
def test_a_strange_text_goes_whatever_the_doubt(kind: str, limit: float) -> None:
    scope = msgspec.convert({"kind": kind, "threshold": limit}, OutOfScope)
    placing = msgspec.structs.replace(PLACING, out_of_scope=scope)
    judged = placing.judged(SURE, named())
    assert (judged.stands, judged.reason) == (False, "out_of_scope")
    assert judged.evidence["out_of_scope"] > limit


def test_without_logits_nobody_can_tell_by_the_energy() -> None:
    placing = msgspec.structs.replace(PLACING, out_of_scope=OutOfScope("energy", -99.0))
    assert placing.judged(Said("a", SURE.probabilities), named()).stands


def test_certainty_and_silence_are_numbers_too() -> None:
    for said in (Said("a", {"a": 1.0, "b": 0.0}), Said("a", {"a": 0.0, "b": 0.0}), Said("a")):
        found = factors(said, named(""))
        assert set(found) == set(FACTORS)
        assert all(abs(value) <= 12.0 for value in found.values())


def test_an_unknown_factor_is_refused() -> None:
    with pytest.raises(ValueError, match="weights names 'mood'; the factors are doubt"):
        Placing(1, "a", "b", 0.0, {"mood": 1.0}, 0.5)


def written(folder: Path, placing: Placing) -> None:
    (folder / FILE).write_bytes(msgspec.json.encode(placing))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_placing(tmp_path, "abc") is None
    written(tmp_path, PLACING)
    assert read_placing(tmp_path, "abc") == PLACING


def test_what_belongs_to_another_classifier_is_refused(tmp_path: Path) -> None:
    written(tmp_path, PLACING)
    with pytest.raises(BundleError, match=r"was fitted to classifier abc, and .* holds xyz; distill it anew"):
        read_placing(tmp_path, "xyz")
    written(tmp_path, msgspec.structs.replace(PLACING, schema=9))
    with pytest.raises(BundleError, match="has schema 9, this Edgewise reads 1"):
        read_placing(tmp_path, "abc")
    (tmp_path / FILE).write_bytes(b'{"schema": 1}')
    with pytest.raises(BundleError, match=r"cascade\.json is damaged: .*edge"):
        read_placing(tmp_path, "abc")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"texts": 0}, "0 texts with a loss of 0.00% cannot do"),
        ({"texts": 298}, "298 texts"),
        ({"loss": 0.02}, "a loss of 2.00%"),
        ({"disagreement": -1.0}, "`float` >= 0"),
        ({"texts": -5}, "`int` >= 0"),
    ],
)
def test_no_promise_counts_as_proven_without_the_texts_for_it(
    tmp_path: Path, change: dict[str, float], said: str
) -> None:
    promise: dict[str, object] = {
        "max_loss": 0.01,
        "confidence": 0.95,
        "texts": 500,
        "loss": 0.0,
        "kept": 0.9,
    }
    promise |= {"disagreement": 0.01, "proven": True, "sentence": "At most 1 %."}
    whole = msgspec.to_builtins(PLACING)
    (tmp_path / FILE).write_bytes(msgspec.json.encode({**whole, "promise": promise}))
    assert read_placing(tmp_path, "abc") is not None
    (tmp_path / FILE).write_bytes(msgspec.json.encode({**whole, "promise": {**promise, **change}}))
    with pytest.raises(BundleError, match=r"^[^\n]+$") as caught:
        read_placing(tmp_path, "abc")
    assert said in str(caught.value)


def test_a_risk_that_is_no_number_lets_nothing_stand() -> None:
    beyond = {"doubt": 1.7e308, "rivalry": -1.7e308}
    said = Said("a", {"a": 0.1, "b": 0.9})
    assert not Placing(1, "a", "b", 0.0, beyond, 0.5).judged(said, named("Where is it?")).stands
