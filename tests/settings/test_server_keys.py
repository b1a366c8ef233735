from __future__ import annotations

import hmac
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.settings import KeyRing, ServerKey, hash_key, keys, new_key


def test_a_key_is_long_random_and_fit_for_a_header() -> None:
    made = {new_key() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"ew-[A-Za-z0-9_-]{43}", key) for key in made)


def test_the_hash_is_sha256() -> None:
    assert hash_key("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.lists(st.text(max_size=8), unique=True, max_size=5), st.text(max_size=8))
def test_a_ring_finds_exactly_its_own_keys(own: list[str], stranger: str) -> None:
    ring = KeyRing(ServerKey(f"n{i}", hash_key(key)) for i, key in enumerate(own))
    assert [ring.find(key) for key in own] == [ServerKey(f"n{i}", hash_key(key)) for i, key in enumerate(own)]
    assert (ring.find(stranger) is not None) == (stranger in own)


def test_hashes_may_be_written_in_capitals() -> None:
    key = ServerKey("n", "sha256:" + hash_key("abc").removeprefix("sha256:").upper())
    assert KeyRing([key]).find("abc") is key


def test_what_is_no_text_finds_nothing() -> None:
    assert KeyRing([ServerKey("n", hash_key("abc"))]).find("\udcff\x00é") is None


@pytest.mark.parametrize("presented", ["first", "second", "third", "none of them"])
def test_every_key_is_compared_whichever_one_fits(presented: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "compare_digest", counted)
    ring = KeyRing(ServerKey(name, hash_key(name)) for name in ("first", "second", "third"))
    found = ring.find(presented)
    assert len(set(compared)) == len(compared) == 3
    assert (found.name if found else "none of them") == presented
