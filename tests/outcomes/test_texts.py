from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.outcomes import Texts

SALT = b"0123456789abcdef0123456789abcdef"


@given(st.text(st.characters()))
def test_what_is_kept(prompt: str) -> None:
    assert Texts("full")(prompt) == (prompt, None)
    assert Texts("none")(prompt) == (None, None)
    text, digest = Texts("hash", SALT)(prompt)
    assert text is None
    assert digest is not None
    assert len(bytes.fromhex(digest)) == 32


def test_the_hash_tells_repeats_apart_and_cannot_be_looked_up() -> None:
    one, other = Texts("hash", SALT), Texts("hash", SALT[::-1])
    assert one("yes") == one("yes") != one("no")
    assert one("yes") != other("yes")
    assert one("yes")[1] != hashlib.sha256(b"yes").hexdigest()


def test_a_hash_without_a_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a salt"):
        Texts("hash")
