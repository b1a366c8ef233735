from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, serious
from tests.servers import Running

pytestmark = pytest.mark.slow


def latest(site: Running) -> str:
    _, listed = site.get("/v1/decisions?limit=1")
    found: str = listed["data"][0]["id"]
    return found


def test_the_decision_appears_as_one_types_and_nothing_is_logged(look: Looker, site: Running) -> None:
    before = latest(site)
    page = look("/try")
    page.keyboard.type("What is the capital of France?")
    expect(page.locator("#decision")).to_contain_text("phi would answer, because the prompt is simple enough")
    page.get_by_label("Policy").select_option("auto:random")
    expect(page.locator("#decision")).to_contain_text("33.3 %")
    page.get_by_label("Privacy").select_option("local")
    expect(page.locator("#decision")).to_contain_text("not eligible")
    assert serious(page) == []
    page.locator("#prompt").fill("")
    expect(page.locator("#decision")).to_contain_text("Type a prompt")
    assert latest(site) == before


def test_candidates_answer_side_by_side_with_the_keyboard_alone(
    look: Looker, site: Running, picture: Callable[[Page, str], None]
) -> None:
    page = look("/try")
    page.keyboard.type("Name three <b>colours</b>.")
    expect(page.locator("#decision table")).to_be_visible()
    for name in ("mini", "grand"):
        page.locator(f"input[value={name}]").focus()
        page.keyboard.press("Space")
    page.locator("#prompt").focus()
    page.keyboard.press("Control+Enter")
    answers = page.locator("#answers article")
    expect(answers).to_have_count(3)
    for at in range(3):
        expect(answers.nth(at)).to_contain_text("done after")
    expect(answers.nth(2)).to_contain_text("A considered answer.")
    assert serious(page) == []
    picture(page, "try-it")
    page.get_by_role("link", name="the whole story").nth(2).click()
    expect(page.locator("main")).to_contain_text("the caller asked for it by name")
    expect(page.locator(".said").first).to_have_text("Name three <b>colours</b>.")


def test_an_example_is_a_click_and_a_refusal_is_a_sentence(look: Looker) -> None:
    page = look("/try")
    page.get_by_role("button", name="What is the capital of France?").click()
    expect(page.locator("#prompt")).to_have_value("What is the capital of France?")
    expect(page.locator("#decision")).to_contain_text("would answer")
    page.get_by_label("Privacy").select_option("local")
    page.locator("input[value=auto]").uncheck()
    page.locator("input[value=grand]").check()
    page.get_by_role("button", name="Ask them").click()
    expect(page.locator("#answers .notice")).to_contain_text("grand")
    # A refusal is an answer with another status, which Chromium notes in its console.
    expect(page.locator("#answers article")).to_contain_text("failed after")
    look.forgive("status of 400")


def test_answers_under_way_can_be_stopped(look: Looker) -> None:
    page = look("/try")
    page.route("**/v1/chat/completions", lambda _: None)  # it never answers
    page.keyboard.type("Take your time.")
    page.get_by_role("button", name="Ask them").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#answers article")).to_contain_text("stopped after")
    expect(page.get_by_role("button", name="Ask them")).to_be_enabled()
