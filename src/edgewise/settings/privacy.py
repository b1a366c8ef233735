"""What types cannot say about `[privacy]`, and about the privacy that a key demands."""

from __future__ import annotations

from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING

from edgewise.domain.privacy import privacy_of
from edgewise.settings.complaints import Complaint, expected
from edgewise.settings.secrecy import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import PrivacySettings

# The rules of features/detectors, which settings may not import; a test holds the two together.
PRIVACY_RULES = (
    "anthropic_key", "au_tfn", "aws_key", "be_nrn", "br_cpf", "ca_sin", "card", "ch_ahv",
    "cn_resident_id", "de_tax_id", "dk_cpr", "email", "es_dni", "fi_hetu", "fr_nir", "github_token",
    "gitlab_token", "google_key", "iban", "in_aadhaar", "ip_address", "it_codice_fiscale", "jp_my_number",
    "jwt", "kr_rrn", "mx_curp", "nl_bsn", "no_fodselsnummer", "openai_key", "password", "phone",
    "pl_pesel", "private_key", "se_personnummer", "service_token", "sg_nric", "slack_token", "stripe_key",
    "tr_kimlik", "uk_nhs", "uk_nino", "url_password", "us_ssn", "za_id",
)  # fmt: skip
PRESIDIO = "presidio"  # all that the extra of that name finds


def privacy_complaints(privacy: PrivacySettings) -> Iterator[Complaint]:
    """What in `[privacy]` cannot be run."""
    known = (*PRIVACY_RULES, PRESIDIO)
    for name in privacy.rules:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}?" if near else "docs/privacy.md lists the rules"
            yield Complaint(f"privacy.rules.{shown_key(name)}", "is not a rule", meant)
    if privacy.presidio is not None and not privacy.presidio.strip():
        yield expected("privacy.presidio", privacy.presidio, "a spaCy model, such as en_core_web_sm")
    if not 0.0 < privacy.timeout_s < inf:
        yield expected("privacy.timeout_s", privacy.timeout_s, "a number above 0")


def demand_complaints(key: str, demanded: str | None) -> Iterator[Complaint]:
    """What is wrong with the privacy that a key demands."""
    if demanded is None:
        return
    try:
        known = privacy_of(demanded) is not None
    except ValueError:
        known = False
    if not known:
        yield expected(key, demanded, '"local" or a region such as "region:eu"')
