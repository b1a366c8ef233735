from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.privacy import LOCAL, privacy_of
from edgewise.integrations.promises import together

WISHES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "privacy": st.sampled_from([LOCAL, "region:eu", "region:de"]),
            "session": st.text(max_size=3),
        },
    ),
    max_size=3,
)


@given(WISHES)
def test_no_wish_takes_a_promise_back(wishes: list[dict[str, str]]) -> None:
    promised = privacy_of(*(wish.get("privacy") for wish in wishes))
    for order in itertools.permutations(wishes):
        assert privacy_of(together(*order).get("privacy")) == promised


def test_of_all_else_the_last_word_holds() -> None:
    assert together({"session": "a", "objective": "x"}, {"session": "b"}, {}) == {
        "session": "b",
        "objective": "x",
    }
