"""What the privacy constraint says, and of whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.constraints import Privacy
from edgewise.constraints.checks import check_constraint
from edgewise.domain.candidates import Candidate
from edgewise.domain.privacy import permits, privacy_of
from edgewise.domain.requests import Finding, Request, Wishes

DEVICE = Candidate("here", "edge", "device")
CLOUD = Candidate("far", "cloud", "cloud", region="us-east")
words = st.sampled_from([None, "", "local", "region:eu", "region:us", "region:us-east", "Region:EU , local"])


def sentence(privacy: str | None, candidate: Candidate, *findings: Finding) -> str | None:
    request = Request("req", "hi", "hi", b"{}", Wishes(privacy=privacy), findings=findings)
    objection = check_constraint(Privacy(), request, candidate)
    return None if objection is None else objection.sentence


def test_sentences() -> None:
    assert sentence(None, CLOUD) is None
    assert sentence("region:us", CLOUD) is None
    assert sentence("local", CLOUD) == "The request is declared local, and 'far' is in a cloud"
    assert sentence("region:eu", CLOUD) == "The request must stay in eu, and 'far' is in 'us-east'"
    card = Finding("card", 0, 16)
    assert sentence(None, CLOUD, card) == (
        "The request is held local (found by 'card'), and 'far' is in a cloud"
    )
    assert sentence("local", DEVICE, card) is None


def test_what_is_blocked_nobody_answers() -> None:
    findings = (
        Finding("card", 0, 16, "block"),
        Finding("iban", 0, 16, "local"),
        Finding("card", 20, 36, "block"),
    )
    for candidate in (DEVICE, CLOUD):
        assert sentence(None, candidate, *findings) == "The request holds what is blocked (found by 'card')"


def test_what_may_be_sent_redacted_is_no_objection() -> None:
    assert sentence(None, CLOUD, Finding("card", 0, 16, "redact")) is None


@given(st.lists(words, max_size=4), words)
def test_more_words_never_allow_more(said: list[str | None], more: str | None) -> None:
    before, after = privacy_of(*said), privacy_of(*said, more)
    for candidate in (DEVICE, CLOUD, Candidate("dark", "cloud", "cloud")):
        assert permits(before, candidate) or not permits(after, candidate)
        assert permits(after, candidate) <= permits(privacy_of(more), candidate)


@pytest.mark.parametrize("word", ["maybe", "region:", "region:a b", "local!", "region"])
def test_unknown_words_are_errors(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        privacy_of("local", word)
