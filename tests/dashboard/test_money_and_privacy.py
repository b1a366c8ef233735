"""Two pages as the gateway serves them, over requests that it really answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.dashboard.traffic import CONFIG, begin
from tests.dashboard.visiting import page
from tests.servers import Running, gateway

from edgewise.dashboard.pages import pages


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with gateway(tmp_path_factory.mktemp("money"), CONFIG) as running:
        begin(running)
        yield running


def test_money_tells_its_baselines_and_budgets(site: Running) -> None:
    said = page(site, "/money")
    for words in ("always grand", "always mini", "always phi", "Ledger", "everything, a day", "$2.00"):
        assert words in said
    assert "baseline, same tokens (estimated)" in said, "what is estimated is called so"
    assert "of these requests" in page(site, "/money?baseline=mini")
    assert "Always mini" in page(site, "/money?baseline=mini")
    assert "Always grand" in page(site, "/money?baseline=%3Cscript%3E"), "an unknown one is the dearest"


def test_privacy_tells_who_got_texts_and_what_stayed(site: Running) -> None:
    said = page(site, "/privacy")
    assert "that had to stay on this machine did" in said
    assert "The request is declared local" in said
    for words in ("this machine", "a cloud", "optimal_edge", "pinned", "mini"):
        assert words in said
    assert "secret" not in said, "no text of a request stands on it"


def test_both_are_in_the_navigation() -> None:
    assert {"/money", "/privacy"} <= {page.path for page in pages()}
