"""What the log keeps of a conversation is what a policy read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import StoreError
from edgewise.domain.requests import Features
from edgewise.features.described import TALK, describer
from edgewise.features.packed import kept, packed, readable, unpacked, widest
from edgewise.features.static.vectors import Described

PLAIN = widest().removesuffix(TALK)
TALKING = '[{"role": "user", "content": "Prove it."}, {"role": "assistant", "content": "No."}]'


def same(a: Described, b: Described) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("vectors", "statistics", "terms", "bounds")
    )


@given(st.lists(st.text(max_size=80) | st.just(TALKING), min_size=1, max_size=4), st.booleans())
def test_nothing_is_lost_on_the_way(texts: list[str], talk: bool) -> None:
    version = PLAIN + TALK * talk
    describe = describer(version)
    rows = [(packed(describe([text])), version) for text in texts]
    assert same(unpacked(rows, version), describe(texts))


@given(st.lists(st.text(max_size=80) | st.just(TALKING), min_size=1, max_size=4))
def test_what_knows_of_conversations_serves_a_bundle_that_does_not(texts: list[str]) -> None:
    wide, narrow = describer(widest()), describer(PLAIN)
    rows = [(packed(wide([text])), widest()) for text in texts]
    assert same(unpacked(rows, PLAIN), narrow(texts))


def test_versions_that_hold_what_is_wanted_are_readable() -> None:
    assert readable(PLAIN, PLAIN)
    assert readable(widest(), PLAIN)
    assert readable(widest(), widest())
    assert not readable(PLAIN, widest())
    assert not readable("minilm-1+" + PLAIN, PLAIN)
    assert not readable("", PLAIN)


@pytest.mark.parametrize("cut", [0, 3, 11, 40, -1])
def test_what_is_torn_is_refused(cut: int) -> None:
    whole = packed(describer(PLAIN)(["some words"]))
    with pytest.raises(StoreError, match="torn"):
        unpacked([(whole[:cut], PLAIN)], PLAIN)


def test_without_a_vector_there_is_nothing_to_keep() -> None:
    features = Features({"characters": 3.0})
    assert kept(features) is None
    described = describer(PLAIN)(["abc"])
    assert kept(Features({}, described)) == packed(replace(described))
