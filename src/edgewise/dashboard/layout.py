"""What stands around every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from edgewise.dashboard.files import PREFIX
from edgewise.dashboard.html import Child, Html, h, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.dashboard.page import Page

SCRIPTS: Final = ("shell.js", "charts.js")


def document(title: str, *inside: Child, scripts: Sequence[str] = ()) -> bytes:
    """A whole HTML document; `scripts` are modules among the assets."""
    head = h.head(
        h.meta(charset="utf-8"),
        h.title(f"{title} · Edgewise"),
        h.meta(name="viewport", content="width=device-width, initial-scale=1"),
        h.meta(name="color-scheme", content="light dark"),
        h.link(rel="icon", href=f"{PREFIX}icon.svg", type="image/svg+xml"),
        h.link(rel="stylesheet", href=f"{PREFIX}style.css"),
        h.script(src=f"{PREFIX}theme.js"),  # no module: the colours must be right at the first paint
        [h.script(type="module", src=f"{PREFIX}{name}") for name in scripts],
    )
    whole = joined((Html("<!doctype html>"), h.html(head, h.body(inside), lang="en")))
    return whole.encode("utf-8", "replace")


def framed(page: Page, body: Html, navigation: Sequence[Page], *, live: str | None, keyed: bool) -> bytes:
    """A page with the navigation beside it. `live` is the address of what keeps it up to date."""
    links = [
        h.li(h.a(one.title, href=one.path, aria_current="page" if one is page else None))
        for one in navigation
    ]
    shell = (
        h.a("Skip to the content", href="#content", class_="skip"),
        h.header(
            h.a(h.span("", class_="mark", aria_hidden="true"), "Edgewise", href="/", class_="brand"),
            h.nav(h.ul(links), aria_label="Pages"),
            h.div(_theme(), _leave() if keyed else None, class_="tools"),
            class_="side",
        ),
        h.main(
            h.div(h.h1(page.title), _live(live) if live else None, class_="title"),
            body,
            id="content",
            tabindex="-1",
        ),
    )
    return document(page.title, *shell, scripts=(*SCRIPTS, *page.scripts))


def live_address(path: str, query: str) -> str:
    """Where the events of a page come from."""
    return f"/live?at={quote(path + ('?' + query if query else ''), safe='')}"


def card(title: str, *inside: Child, note: Child = None, id_: str | None = None, wide: bool = False) -> Html:
    """A part of a page under a heading of its own; `note` stands small beside the heading."""
    head = h.div(h.h2(title), h.span(note, class_="note") if note is not None else None, class_="head")
    return h.section(head, inside, class_="card wide" if wide else "card", id=id_)


def tile(label: str, value: Child, note: Child = None, *, state: str = "") -> Html:
    """One figure: what it is, its value with the unit, and what it rests on. `state` is good, warn or bad."""
    return h.div(
        h.dt(label),
        h.dd(h.span(value, class_="value"), h.span(note, class_="note") if note is not None else None),
        class_=f"tile {state}".strip(),
    )


def tiles(*inside: Child) -> Html:
    """Figures beside each other."""
    return h.dl(inside, class_="tiles")


def empty(what: str, *todo: Child) -> Html:
    """What stands where there is nothing yet: one sentence why, and what to do about it."""
    return h.div(h.p(what, class_="why"), h.p(todo) if todo else None, class_="empty")


def notice(sentence: str, state: str = "warn") -> Html:
    """A sentence that must not be overlooked."""
    return h.p(sentence, class_=f"notice {state}", role="status")


def choice(label: str, options: Sequence[tuple[str, str, bool]]) -> Html:
    """Links beside each other of which one is chosen: (text, address, whether it is this one)."""
    links = [h.a(text, href=to, aria_current="true" if here else None) for text, to, here in options]
    return h.nav(links, class_="choice", aria_label=label)


def button(text: str, action: str, /, style: str = "", **fields: str) -> Html:
    """A form of one button that posts `fields` to `action`."""
    hidden = [h.input(type="hidden", name=name, value=value) for name, value in fields.items()]
    return h.form(hidden, h.button(text, class_=style or None), method="post", action=action, class_="inline")


def _theme() -> Html:
    return h.button("Theme: system", type="button", class_="quiet", id="theme", hidden=True)


def _leave() -> Html:
    return button("Log out", "/logout", "quiet")


def _live(address: str) -> Html:
    """A button that pauses what changes; what it says of itself is read out, too."""
    pause = h.button(
        h.span("", class_="dot", aria_hidden="true"),
        h.span("Live", id="live-state"),
        type="button",
        id="live",
        class_="quiet",
        data_live=address,
        hidden=True,
    )
    return h.span(pause, h.span("", id="live-said", role="status", class_="unseen"))
