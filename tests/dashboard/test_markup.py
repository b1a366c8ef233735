"""HTML, numbers and charts: what is text stays text."""

from __future__ import annotations

from html.parser import HTMLParser
from math import nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, lines, stacks, whiskers
from edgewise.dashboard.files import asset
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.page import Gone
from edgewise.dashboard.shown import WHOLE, said, text


class Reader(HTMLParser):
    """The texts, elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1))
def test_text_comes_out_as_it_went_in_and_makes_no_element(words: str) -> None:
    seen = read(h.p(words, title=words))
    assert "".join(seen.texts) == words
    assert seen.elements == [("p", {"title": words})]


def test_markup_stays_lists_are_taken_apart_and_none_leaves_nothing() -> None:
    assert h.p([h.b("a"), None, ["<", 3]]) == "<p><b>a</b>&lt;3</p>"
    assert h.input(type="checkbox", checked=True, disabled=False, aria_label=None, class_="x") == (
        '<input type="checkbox" checked class="x">'
    )
    assert isinstance(joined(("a", Html("<br>"))), Html)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, units.UNKNOWN), (nan, units.UNKNOWN),
        (0.0, "$0"), (1234.5, "$1,234"), (12.3, "$12.30"), (0.6, "$0.60"), (0.0042, "$0.0042"),
        (0.000011, "$0.000011"), (3e-9, "$3.0e-09"), (-0.5, "\N{MINUS SIGN}$0.50"),
    ],
)  # fmt: skip
def test_money_has_as_many_digits_as_it_needs(value: float | None, told: str) -> None:
    assert units.usd(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, units.UNKNOWN),
        (0.00002, "20 µs"), (0.25, "250 ms"), (1.52, "1.5 s"), (42.0, "42 s"), (180.0, "3 min"),
        (3600.0, "1 h"), (604800.0, "7 days"),
    ],
)  # fmt: skip
def test_times_have_their_unit(value: float | None, told: str) -> None:
    assert units.seconds(value) == told


FLOATS = st.none() | st.floats(0, 1e9)


@given(st.lists(st.tuples(FLOATS, FLOATS), max_size=40))
@example([(None, 5e-324)])
def test_a_chart_draws_inside_itself_and_its_table_has_every_value(
    values: list[tuple[float | None, float | None]],
) -> None:
    steps = [float(60 * at) for at in range(len(values))]
    series = [Series("edge", [a for a, _ in values]), Series("cloud", [b for _, b in values], 1)]
    for draw in (lines, stacks):
        drawn = draw("Requests & more", steps, series, units.count)
        seen = read(drawn).elements
        assert seen[0][1]["data-title"] == "Requests & more"
        assert sum(name == "tr" for name, _ in seen) == 1 + len(values)
        for _, said_of in seen:
            for name in ("y", "cy", "y1", "y2"):
                assert -1 <= float(said_of.get(name) or 0) <= 150


def test_an_interval_is_drawn_from_low_to_high() -> None:
    drawn = whiskers("Forecast of quality", [("phi", 0.5, 0.25, 0.75)], units.quality, most=1.0)
    assert 'x1="44.00%" x2="80.00%"' in drawn
    assert "<td" in drawn
    assert "0.75" in drawn


def test_text_from_outside_can_do_nothing() -> None:
    shown = text("<script>alert(1)</script> \x1b[2J \u202edlrow")
    assert "<script" not in shown
    assert r"\x1b[2J" in shown
    assert r"\u202e" in shown
    assert shown.startswith("<bdi>")


def test_a_long_text_is_cut_and_the_rest_is_a_file() -> None:
    seen = said("x" * (WHOLE + 1), rest="/decisions/a/answer.txt")
    assert len(seen) < WHOLE + 600
    assert f"The first {WHOLE:,} of {WHOLE + 1:,} characters." in seen
    assert 'href="/decisions/a/answer.txt"' in seen


def test_assets_are_those_of_the_folder_and_no_others() -> None:
    found = asset("style.css")
    tag = dict(found.headers)["etag"]
    assert asset("style.css", tag).status == 304
    for name in ("../site.py", "site.py", "", "..%2fsite.py"):
        with pytest.raises(Gone):
            asset(name)


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        ("bytes", 20.4e9, "20.4 GB"), ("bytes", 512.0, "512 B"), ("share", 0.5, "50.0 %"),
        ("USD", 2.0, "$2.00"), ("yes or no", 1.0, "yes"), ("calls", 3.0, "3 calls"),
    ],
)  # fmt: skip
def test_a_signal_is_said_with_its_unit(unit: str, value: float, told: str) -> None:
    assert units.of_unit(unit)(value) == told
    assert units.of_unit(unit)(None).startswith(units.UNKNOWN)
