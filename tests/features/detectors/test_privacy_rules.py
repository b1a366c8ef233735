"""Each rule finds its own kind, and not the same with one digit changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.features.detectors import cards, checksums, contact, lettered, numbers, secrets
from edgewise.features.detectors.rules import search
from edgewise.settings.privacy import PRIVACY_RULES

# Published examples and test numbers, a sentence a rule.
FOUND = {
    "card": "4111 1111 1111 1111",
    "iban": "GB82 WEST 1234 5698 7654 32",
    "us_ssn": "078-05-1120",
    "ca_sin": "SIN 046 454 286",
    "uk_nhs": "NHS 943 476 5919",
    "uk_nino": "AB 12 34 56 C",
    "de_tax_id": "86095742719",
    "fr_nir": "1 85 05 78 006 084 91",
    "es_dni": "12345678Z",
    "it_codice_fiscale": "RSSMRA85T10A562S",
    "nl_bsn": "BSN 111222333",
    "be_nrn": "85.07.30-033.28",
    "pl_pesel": "44051401359",
    "se_personnummer": "811218-9876",
    "no_fodselsnummer": "01010750160",
    "fi_hetu": "131052-308T",
    "dk_cpr": "CPR 070761-4285",
    "ch_ahv": "756.9217.0769.85",
    "br_cpf": "529.982.247-25",
    "in_aadhaar": "2341 2341 2346",
    "jp_my_number": "My Number 1234 5678 9018",
    "cn_resident_id": "11010519491231002X",
    "kr_rrn": "800101-1234560",
    "za_id": "8001015009087",
    "tr_kimlik": "10000000146",
    "sg_nric": "S1234567D",
    "au_tfn": "TFN 123 456 782",
    "mx_curp": "HEGG560427MVZRRL04",
    "email": "ann.b+x@mail.example.co.uk",
    "phone": "+49 30 1234567",
    "ip_address": "8.8.4.4",
    "aws_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github_token": "ghp" + "_abcdefghijklmnopqrstuvwxyz0123456789",
    "gitlab_token": "glpat" + "-abcdefghijklmnopqrst",
    "openai_key": "sk" + "-proj-abcdefghijklmnopqrstuvwx",
    "anthropic_key": "sk" + "-ant-api03-abcdefghijklmnopqrstuvwx",
    "google_key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "slack_token": "xoxb" + "-1234567890-abcdef",
    "stripe_key": "sk" + "_test_abcdefghijklmnop",
    "service_token": "hf" + "_abcdefghijklmnopqrstuvwxyzabcd",
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N",
    "url_password": "postgres://bob:hunter2@db/x",
    "password": "the password is S3cr3t!pw",
}
UNCHECKED = {"us_ssn", "uk_nino", "dk_cpr"}  # these have no check digit to break


def rules_of(text: str) -> set[str]:
    return {match.rule for match in search(text)}


def test_every_rule_has_an_example_and_a_setting_and_a_line_on_the_page() -> None:
    assert set(FOUND) == set(PRIVACY_RULES)
    page = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text()
    assert all(f"`{rule}`" in page for rule in PRIVACY_RULES)


@pytest.mark.parametrize("rule", FOUND)
@pytest.mark.parametrize("frame", ["{}", "It is {}, I think.", "x: {}\nand so on", "«{}»"])
def test_it_finds_its_own(rule: str, frame: str) -> None:
    assert rule in rules_of(frame.format(FOUND[rule]))


CHECKED = [name for name in FOUND if name in {r.name for r in numbers.RULES} - UNCHECKED] + ["iban"]


@pytest.mark.parametrize("rule", CHECKED)
def test_no_single_wrong_digit_passes(rule: str) -> None:
    """What check digits are for. The last digit stands for any: all of these catch it."""
    text = FOUND[rule]
    last = [place for place, character in enumerate(text) if character.isdigit()][-1]
    for digit in "0123456789":
        if digit != text[last]:
            assert rule not in rules_of(text[:last] + digit + text[last + 1 :]), digit


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    for match in search(text):
        assert 0 <= match.start < match.end <= len(text)
        assert match.rule in PRIVACY_RULES


@given(st.text("0123456789 .-/+()@aA[]", max_size=200))
def test_numbers_of_all_shapes_can_be_searched(text: str) -> None:
    assert all(text[match.start : match.end].strip() for match in search(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("card ４１１１ 1111\u00a01111 1111", "４１１１ 1111\u00a01111 1111"),  # noqa: RUF001 - the full width is the point
        ("İ reach ann@example.org", "ann@example.org"),  # lower case of İ is two characters
        ("two cards 4111 1111 1111 1111 378282246310005", "378282246310005"),
        ('{"mail":"ann@example.org"}', "ann@example.org"),
    ],
)
def test_places_are_right(text: str, value: str) -> None:
    assert value in {text[match.start : match.end] for match in search(text)}


HARMLESS = """Order 4829103377561204 was shipped.
On 2026-05-04 at 10:30 we sold 1 234 567 units of 3.2.1.
The forgotten password page: a password is required.
v8.8.8.8 is a version, 10.0.0.1 and 192.168.1.1 are private.
Write sk-learn, git@ and a token: none.
A card 4111 1111 1111 1112 has a wrong digit.""".splitlines()


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless(text: str) -> None:
    assert search(text) == []


def test_digit_checks_against_published_values() -> None:
    assert checksums.luhn("79927398713")
    assert checksums.verhoeff("2363")
    assert checksums.mod_97("GB82WEST12345698765432")
    assert checksums.ean_13("4006381333931")
    assert checksums.mod_11_10("86095742719")
    assert not checksums.is_date(2000, 2, 30)
    assert not cards.card("9111111111111111")


def test_no_pattern_takes_forever() -> None:
    """Long texts of what each pattern likes best: every repetition in them is bounded."""
    bounded = [
        contact.WRITTEN_OUT,
        contact.DOMAIN,
        contact.INTERNATIONAL,
        lettered.IBAN_REST,
        secrets.PASSWORD,
    ]
    for text in (
        "a" * 50_000 + "(at",
        "a.-" * 20_000 + "(at)",
        "+1 " * 20_000,
        "A1 " * 20_000,
        "password" * 9_000,
    ):
        for pattern in bounded:
            assert isinstance(pattern, re.Pattern)
            pattern.search(text)
        search(text)
