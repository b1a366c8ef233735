"""Rules by word, label and metadata: whole words in any case and script, and examples that are tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError
from edgewise.policies import Complexity
from edgewise.policies.cascade.configured import configured
from edgewise.policies.cascade.rules import Escalation
from edgewise.settings import PolicySettings
from edgewise.settings.schema import EscalateSettings

FOUND = [
    ("manager", "I want your MANAGER now"),
    ("manager", "manager"),
    ("manager", "(manager)"),
    ("manager", "the manager's office"),
    ("manager", "_manager_ and *manager*"),
    ("manager", "co-manager"),
    ("manager", "\uff2danager, please"),  # a full-width M
    ("complain*", "I have complained twice"),
    ("speak to a human", "let me SPEAK  to\na human!"),
    ("don't", "I don\u2019t know"),
    ("don\u2019t", "I DON'T"),
    ("stra\u00dfe", "In der STRASSE"),
    ("caf\u00e9", "Cafe\u0301 noir"),  # the accent as a mark of its own
    ("\u7ecf\u7406", "\u6211\u8981\u89c1\u7ecf\u7406\u3002"),
    ("\ub9e4\ub2c8\uc800", "\ub9e4\ub2c8\uc800\ub97c \ubd88\ub7ec"),
    ("\u0431\u043e\u0441\u0441", "\u0413\u0434\u0435 \u0411\u041e\u0421\u0421?"),
    ("24/7", "open 24/7?"),
    ("c++", "it is C++."),
]
MISSED = [
    ("manager", "management"),
    ("manager", "the managers"),
    ("manager", "submanager"),
    ("manager", "manag er"),
    ("manager", ""),
    ("complain*", "uncomplaining"),
    ("speak to a human", "speak to a humanist"),
    ("cafe", "cafe\u0301"),
    ("\u0431\u043e\u0441\u0441", "\u0431\u043e\u0441\u0441\u0430"),
    ("4", "24"),
]


@pytest.mark.parametrize(("word", "text"), FOUND)
def test_a_word_is_found(word: str, text: str) -> None:
    assert Escalation("r", ("never", word)).applies(text)


@pytest.mark.parametrize(("word", "text"), MISSED)
def test_a_part_of_a_word_is_not(word: str, text: str) -> None:
    assert not Escalation("r", (word,)).applies(text)


words = st.text(st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=1, max_size=8)


@given(words, st.sampled_from([" ", "\n", ", ", "!", "\u00a0", "\u2014"]), st.data())
def test_whatever_stands_around_it_and_however_it_is_written(
    word: str, gap: str, data: st.DataObject
) -> None:
    ways = [word, word.upper(), word.lower(), word.casefold()]
    same = [way for way in ways if way.casefold() == word.casefold()]  # a Turkish i has a capital of its own
    written = data.draw(st.sampled_from(same))
    assert Escalation("r", (word,)).applies(f"before{gap}{written}{gap}behind")
    assert not Escalation("r", (word,)).applies(f"x{word.casefold()}x")


@given(st.text(max_size=20))
def test_any_text_with_a_letter_in_it_is_found_where_it_stands_alone(word: str) -> None:
    if any(character.isalnum() for character in word):
        assert Escalation("r", (word,)).applies(f"( {word} )")


def test_all_that_a_rule_names_must_apply() -> None:
    rule = Escalation("r", ("refund",), ("Complaint",), {"plan": "gold"})
    assert rule.applies("a refund", "complaint", {"plan": "gold", "more": "x"})
    assert not rule.applies("a refund", "praise", {"plan": "gold"})
    assert not rule.applies("a refund", None, {"plan": "gold"})
    assert not rule.applies("a refund", "complaint", {"plan": "silver"})
    assert not rule.applies("a refund", "complaint", None)
    assert not rule.applies("nothing", "complaint", {"plan": "gold"})
    assert not Escalation("empty").applies("anything", "anything", {"a": "b"})


def test_the_examples_of_a_rule_are_tried() -> None:
    good = EscalateSettings("person", ("manager",), escalates=("MANAGER!",), stays=("management",))
    (rule,) = configured(PolicySettings("cascade", escalate=(good,)), Complexity(), {}).rules
    assert rule == Escalation("person", ("manager",))
    for wrong, said in (
        (
            EscalateSettings("p", ("manager",), escalates=("a", "b")),
            r'escalates\[0\] is "a", which is not esc',
        ),
        (
            EscalateSettings("p", ("manage*",), stays=("management",)),
            r'stays\[0\] is "management", which is esc',
        ),
    ):
        with pytest.raises(SettingsError, match=r"^policies\.x\.escalate\[1\]\." + said):
            configured(PolicySettings("cascade", escalate=(good, wrong)), Complexity(), {}, "policies.x")
