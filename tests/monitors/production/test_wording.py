from __future__ import annotations

import pytest

from edgewise.monitors.production import figures
from edgewise.monitors.production.wording import NOUNS, counted, said, usd
from edgewise.settings.alerts import LOW_IS_BAD


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0.0, "$0"), (12345.6, "$12,345.60"), (0.25, "$0.25"), (0.0042, "$0.0042"), (2.545e-05, "$0.000025")],
)
def test_money_has_cents_or_two_digits_and_no_exponent(amount: float, told: str) -> None:
    assert usd(amount) == told


@pytest.mark.parametrize("name", LOW_IS_BAD)
def test_every_figure_that_an_alert_may_have_is_said_with_a_name_and_a_unit(name: str) -> None:
    assert hasattr(figures.Figures, name)
    assert NOUNS[name]
    assert said(name, 0.5) != "0.5"


def test_one_of_a_thing_is_singular() -> None:
    assert (counted(1, "call"), counted(0, "call"), counted(1234, "call")) == (
        "1 call",
        "0 calls",
        "1,234 calls",
    )
