"""The page where a key is asked for. The gateway itself takes the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.dashboard.html import h
from edgewise.dashboard.layout import document, notice

if TYPE_CHECKING:
    from collections.abc import Mapping


def login_page(query: Mapping[str, str]) -> bytes:
    """A form of one field; `next` in the query is where to go from there, `wrong` says that it failed."""
    wrong = notice("That is no key with the scope admin.", "bad") if "wrong" in query else None
    form = h.form(
        h.label("Key", for_="key"),
        h.input(type="password", name="key", id="key", required=True, autofocus=True, spellcheck="false"),
        h.input(type="hidden", name="next", value=query.get("next", "/")),
        h.button("Open the dashboard", class_="main"),
        method="post",
        action="/login",
    )
    return document(
        "Log in",
        h.main(
            h.h1(h.span("", class_="mark", aria_hidden="true"), "Edgewise"),
            wrong,
            form,
            h.p(
                "It takes a key with the scope admin: ",
                h.code("edgewise keys new --name me --scope admin"),
                " makes one.",
                class_="note",
            ),
            class_="login",
        ),
    )
