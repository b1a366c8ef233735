"""Try it: who would answer a prompt and why, while it is typed; then several who do, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from edgewise.dashboard import units
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card
from edgewise.dashboard.page import Page
from edgewise.outcomes.explain import WHY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.domain.candidates import Candidate
    from edgewise.router import Router

EXAMPLES: Final = (
    "What is the capital of France?",
    "Summarise in one sentence: the meeting was moved because the room was double booked.",
    "Compare optimistic and pessimistic locking for an inventory service under flash sales.",
)


def _body(visit: Visit) -> Html:
    router = visit.sources.router
    reasons = msgspec.json.encode(WHY).decode()
    return joined(
        (
            h.noscript(h.p("This page asks as you type, which needs JavaScript.", class_="notice warn")),
            h.div(_form(router), _deciding(), class_="grid"),
            h.section(
                h.h2("Answers", class_="unseen"),
                h.div(class_="answers", id="answers"),
                aria_label="Answers",
            ),
            h.div(id="words", data_reasons=reasons, hidden=True),
        )
    )


def _form(router: Router) -> Html:
    models = ["auto", *(f"auto:{name}" for name in router.policies if name != "auto")]
    return h.form(
        h.div(
            h.label("Prompt", for_="prompt"),
            h.textarea("", id="prompt", name="prompt", rows=5, autofocus=True, dir="auto"),
            h.div(
                [h.button(text, type="button", class_="example quiet") for text in EXAMPLES],
                class_="examples",
                role="group",
                aria_label="Examples",
            ),
        ),
        h.div(
            _select("Policy", "model", models),
            _select("Privacy", "privacy", ["", "local"]),
            class_="bar",
        ),
        _asked(router.candidates),
        h.div(
            h.button("Ask them", class_="main", id="send"),
            h.button("Stop", type="button", id="stop", hidden=True),
            h.span("Ctrl+Enter", class_="note"),
            class_="bar",
        ),
        id="try",
        class_="card",
    )


def _deciding() -> Html:
    waiting = h.p("Type a prompt: the decision appears here as you go.", class_="quiet-text")
    note = "asked of /v1/route; nobody is called, nothing is logged"
    return card("Who would answer", h.div(waiting, id="decision"), note=note, id_="deciding")


def _select(label: str, name: str, values: list[str]) -> Html:
    options = [h.option(value or "none", value=value) for value in values]
    return h.div(h.label(label, for_=name), h.select(options, id=name, name=name))


def _asked(candidates: Sequence[Candidate]) -> Html:
    """Whom to ask: whoever the policy chooses, and anybody else beside."""
    boxes = [_box("auto", "whoever is chosen", "", checked=True)]
    boxes += [_box(one.id, one.id, _price(one), checked=False) for one in candidates if one.kind == "chat"]
    warning = "Each answer is a request of its own: it is logged, and paid for where it has a price."
    return h.fieldset(h.legend("Ask"), h.div(boxes, class_="boxes"), h.p(warning, class_="note"))


def _box(value: str, text: str, note: str, *, checked: bool) -> Html:
    return h.label(
        h.input(type="checkbox", name="ask", value=value, checked=checked),
        h.span(text),
        h.span(note, class_="note") if note else None,
        class_="box",
    )


def _price(candidate: Candidate) -> str:
    price = candidate.price
    if price is None:
        return f"{candidate.location}, unpriced"
    if not price.input and not price.output:
        return f"{candidate.location}, free"
    each = f"{units.usd(price.input)} in, {units.usd(price.output)} out"
    return f"{candidate.location}, {each} a million tokens"


PAGE = Page("/try", "Try it", _body, scripts=("try.js",))
