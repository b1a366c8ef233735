from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import ask
from tests.servers import Running

pytestmark = pytest.mark.slow


def test_the_feed_goes_on_and_keeps_the_focus(look: Looker, site: Running) -> None:
    page = look("/decisions")
    link = page.locator("#feed tr").first.get_by_role("link")
    told = link.get_attribute("href")
    link.focus()
    ask(site, "Who comes last?")
    expect(page.locator("#feed tr").first).to_contain_text("Who comes last?")
    expect(page.locator(":focus")).to_have_attribute("href", told or "")


def test_from_a_search_to_a_story_with_the_keyboard_alone(look: Looker, site: Running) -> None:
    chosen = ask(site, "Is a zebrafish a fish?")
    page = look("/decisions")
    page.locator("#q").focus()
    page.keyboard.type("ZEBRAFISH")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decisions?q=ZEBRAFISH*")
    expect(page.locator("#feed tr")).to_have_count(1)
    page.locator("#feed a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/decisions/{chosen}")
    expect(page.locator("main")).to_contain_text("Is a zebrafish a fish?")


def test_a_story_has_everybody_and_every_reason(
    look: Looker, site: Running, picture: Callable[[Page, str], None]
) -> None:
    chosen = ask(site, "This must stay here.", edgewise={"privacy": "local"})
    page = look(f"/decisions/{chosen}")
    rows = page.get_by_role("table", name="Candidates").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="grand")).to_contain_text("not eligible")
    expect(rows.filter(has_text="grand")).to_contain_text("privacy")
    expect(page.get_by_role("table", name="Other policies")).to_contain_text("complexity")
    expect(page.locator("figure", has_text="Attempts on a time line").locator("rect")).not_to_have_count(0)
    assert serious(page) == []
    picture(page, "decision")
    phone = look(f"/decisions/{chosen}", width=390, dark=True)
    assert overflow(phone) == 0
    assert serious(phone) == []


def test_a_thumb_is_a_click(look: Looker, site: Running) -> None:
    chosen = ask(site, "Was this any good?")
    page = look(f"/decisions/{chosen}")
    page.get_by_label("In words, if you like").fill("not <b>at all</b>")
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("table", name="Feedback so far")).to_contain_text("not <b>at all</b>")
    _, story = site.get(f"/v1/decisions/{chosen}")
    assert [said["thumbs"] for said in story["feedback"]] == ["down"]


def test_stored_text_runs_no_script_and_turns_nothing_round(look: Looker, site: Running) -> None:
    script = "<script>document.title='owned'</script><img src=/x onerror=\"document.title='owned'\">"
    hostile = script + " \u202edlrow \u05e9\u05dc\u05d5\u05dd \x1b[2J"
    chosen = ask(site, hostile)
    for path in (f"/decisions/{chosen}", "/decisions", "/now"):
        page = look(path)
        expect(page.locator("main")).to_contain_text("<script>document.title")
        assert "owned" not in page.title()
        assert page.locator("main img, main script").count() == 0
    page = look(f"/decisions/{chosen}")
    said = page.locator(".said").first
    assert said.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    expect(said).to_contain_text("\\u202edlrow \u05e9\u05dc\u05d5\u05dd \\x1b[2J")


def test_hebrew_is_written_from_the_right(look: Looker, site: Running) -> None:
    chosen = ask(site, "\u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?")
    said = look(f"/decisions/{chosen}").locator(".said").first
    assert said.evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_what_is_not_there_says_so(look: Looker) -> None:
    page = look("/decisions?q=nobody-ever-said-this")
    expect(page.locator("main")).to_contain_text("Nothing found.")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#feed tr").first).to_be_visible()
