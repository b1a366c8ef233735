"""Decisions: what was decided, as it happens; what one looks for; and below it, each with its story."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from edgewise.dashboard import units
from edgewise.dashboard.html import Child, Html, h, joined
from edgewise.dashboard.layout import empty
from edgewise.dashboard.page import Gone, Page, Refused, Reply, download, redirect
from edgewise.dashboard.rows import rows, shown
from edgewise.dashboard.story import story_page
from edgewise.domain.decisions import OutcomeStatus, Reason
from edgewise.domain.feedback import checked_feedback
from edgewise.domain.ids import is_minted, mint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.domain.stories import Story
    from edgewise.outcomes.listing import Listing

SHOWN: Final = 50
PATIENCE_S: Final = 0.25  # for a search; the rest of the page needs little
REASONS: Final = cast("tuple[str, ...]", get_args(Reason))
STATUSES: Final = cast("tuple[str, ...]", get_args(OutcomeStatus))
TEXT: Final = 200  # characters of what is looked for


def _live(visit: Visit) -> Mapping[str, Html]:
    """The newest rows; of a search or an older page nothing changes by itself."""
    if _filters(visit) or visit.query.get("below"):
        return {}
    found = _found(visit).found
    return {"feed": joined(rows(found))} if found else {}


def _body(visit: Visit) -> Html:
    found = _found(visit)
    asked = bool(_filters(visit) or visit.query.get("below"))
    if not found.found and not asked and found.ended:
        return empty(
            "No request has been decided yet.",
            "Open ", h.a("Try it", href="/try"), " and send one, or point a client at ",
            h.code("/v1/chat/completions"), ".",
        )  # fmt: skip
    listed = shown(found.found, id_="feed", caption="Decisions, newest first")
    return joined(
        (_form(visit), h.section(listed, class_="card", aria_label="Decisions"), _foot(visit, found))
    )


def _found(visit: Visit) -> Listing:
    below = visit.query.get("below", "")
    place = int(below) if below.isascii() and below.isdigit() and len(below) < 16 else None  # noqa: PLR2004 - of digits
    return visit.sources.reader.listed(SHOWN, place, PATIENCE_S, **_filters(visit))


def _filters(visit: Visit) -> dict[str, Any]:
    """What is looked for; what is no value of a filter is not."""
    query = visit.query
    known: dict[str, Sequence[str]] = {
        "candidate": [candidate.id for candidate in visit.sources.router.candidates],
        "reason": REASONS,
        "status": STATUSES,
    }
    found: dict[str, Any] = {name: query[name] for name, values in known.items() if query.get(name) in values}
    for name, field in (("text", "q"), ("session", "session"), ("policy", "policy")):
        if said := query.get(field, "").strip():
            found[name] = said[:TEXT]
    return found


def _form(visit: Visit) -> Html:
    query = visit.query
    names = [candidate.id for candidate in visit.sources.router.candidates]
    fields = (
        h.div(
            h.label("Text in the prompt", for_="q"),
            h.input(type="search", name="q", id="q", value=query.get("q", ""), maxlength=TEXT),
        ),
        _select("Chosen", "candidate", names, query.get("candidate")),
        _select("Why", "reason", REASONS, query.get("reason")),
        _select("Ended", "status", STATUSES, query.get("status")),
        *(
            h.input(type="hidden", name=one, value=query[one])
            for one in ("session", "policy")
            if query.get(one)
        ),
        h.button("Search"),
        h.a("Show all", href=visit.path) if _filters(visit) else None,
    )
    return h.form(fields, method="get", action=visit.path, class_="bar", role="search")


def _select(label: str, name: str, values: Sequence[str], chosen: str | None) -> Html:
    options = [
        h.option(
            value.replace("_", " ") if name == "reason" else value, value=value, selected=value == chosen
        )
        for value in values
    ]
    return h.div(h.label(label, for_=name), h.select(h.option("any", value=""), options, name=name, id=name))


def _foot(visit: Visit, found: Listing) -> Html | None:
    """Where to go on, and how far a search looked."""
    filters = _filters(visit)
    said: list[Child] = []
    if filters and not found.found:
        said.append("Nothing found. " if found.ended else "Nothing found so far. ")
    if filters and not found.ended and found.reached_at is not None:
        said += ["Looked back to ", units.moment(found.reached_at), ". "]
    if not found.ended:
        label = "Look further back" if filters else "Older ones"
        said.append(h.a(label, href=visit.link(below=str(found.reached)), rel="next"))
    elif visit.query.get("below"):
        said.append("That was the oldest. ")
    if visit.query.get("below"):
        said += [" ", h.a("Newest", href=visit.link(below=None))]
    return h.p(said, class_="foot") if said else None


def _story(visit: Visit) -> Story:
    which = visit.rest.partition("/")[0]
    story = visit.sources.reader.decision(which) if is_minted(which) else None
    if story is None:
        raise Gone(
            "There is no such decision in the log. It may have been forgotten: see [store] max_age_days."
        )
    return story


def _below(visit: Visit) -> Html | Reply:
    """One decision; under it the whole texts as files."""
    story = _story(visit)
    _, _, part = visit.rest.partition("/")
    texts = {
        "prompt.txt": story.decision.prompt,
        "answer.txt": story.outcome.response if story.outcome else None,
    }
    if not part:
        return story_page(story, visit)
    text = texts.get(part)
    if text is None:
        raise Gone("There is no such text: the log did not keep it.")
    return download(part, text.encode("utf-8", "replace"), "text/plain; charset=utf-8")


def _feedback(visit: Visit) -> Reply:
    """What somebody at the dashboard thinks of an answer."""
    form = visit.form
    story = visit.sources.reader.decision(form.get("id", "")) if is_minted(form.get("id", "")) else None
    if story is None:
        raise Refused("There is no such decision in the log.")
    thumbs, comment = form.get("thumbs"), form.get("comment", "").strip() or None
    said: dict[str, Any] = {"thumbs": thumbs if thumbs in ("up", "down") else None, "comment": comment}
    feedback = checked_feedback(
        id=mint(), decision_id=story.decision.id, at=time(), source="dashboard", **said
    )
    visit.wait(visit.sources.log.append(feedback))
    return redirect(f"/decisions/{story.decision.id}?said=1#feedback")


PAGE = Page("/decisions", "Decisions", _body, live=_live, below=_below, actions={"feedback": _feedback})
