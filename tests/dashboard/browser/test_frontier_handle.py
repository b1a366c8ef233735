from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.servers import Running

pytestmark = pytest.mark.slow
PREVIEW = ("#p-name", "#p-quality", "#p-price", "#p-month")


def preview(page: Page) -> list[str]:
    return [page.locator(name).inner_text() for name in PREVIEW]


def test_the_keyboard_moves_the_handle_and_the_preview_follows(
    study: Looker, picture: Callable[[Page, str], None]
) -> None:
    page = study("/frontier")
    handle, marker = page.locator("#handle"), page.locator("#marker")
    handle.focus()
    page.keyboard.press("Home")
    dear, at = preview(page), marker.get_attribute("cx")
    assert dear[0] == "quality-at-cost:0.0"
    page.keyboard.press("End")
    cheap = preview(page)
    assert all(one != other for one, other in zip(dear, cheap, strict=True))
    assert marker.get_attribute("cx") != at
    assert "quality" in (handle.get_attribute("aria-valuetext") or ""), (
        "a screen reader hears more than a place"
    )
    expect(page.locator("#objective")).to_have_value(cheap[0])
    shares = [
        float(one) for one in page.locator(".share progress").evaluate_all("all => all.map(o => o.value)")
    ]
    assert sum(shares) == pytest.approx(1.0, abs=0.01)
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    assert preview(page) not in (dear, cheap)
    assert serious(page) == []
    picture(page, "frontier")


def test_the_mouse_drags_the_handle(study: Looker) -> None:
    page = study("/frontier")
    handle = page.locator("#handle")
    handle.scroll_into_view_if_needed()
    handle.press("Home")
    before = preview(page)
    box = handle.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=8)
    halfway = preview(page)
    page.mouse.move(box["x"] + box["width"] - 8, middle, steps=8)
    page.mouse.up()
    assert before != halfway != preview(page) != before


def test_apply_and_undo_without_a_mouse(study: Looker, taught: Running) -> None:
    configuration = taught.home / "edgewise.toml"
    before = configuration.read_text()
    page = study("/frontier")
    page.locator("#handle").focus()
    page.keyboard.press("End")
    chosen = page.locator("#p-name").inner_text()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text(chosen)
    assert f"weight = {chosen.partition(':')[2]}" in configuration.read_text()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_have_count(0)
    assert configuration.read_text() == before


@pytest.mark.parametrize("axis", ["cost_usd", "latency_s"])
def test_every_axis_fits_on_a_phone_in_the_dark(study: Looker, axis: str) -> None:
    page = study(f"/frontier?axis={axis}", width=390, dark=True)
    assert overflow(page) == 0
    assert serious(page) == []
