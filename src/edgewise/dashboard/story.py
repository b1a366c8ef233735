"""One decision from beginning to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from edgewise.dashboard import units
from edgewise.dashboard.charts import Unit, whiskers
from edgewise.dashboard.hindsight import can_tell, otherwise
from edgewise.dashboard.html import Child, Html, h, joined
from edgewise.dashboard.layout import card, notice
from edgewise.dashboard.rows import ended
from edgewise.dashboard.shown import candidate, said, text
from edgewise.dashboard.tables import facts, row, table
from edgewise.dashboard.timeline import timeline
from edgewise.outcomes.explain import FACTORS, FOUND, WHY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.dashboard.page import Visit
    from edgewise.domain.candidates import Objection
    from edgewise.domain.decisions import Decision, Estimate, Feedback, Forecast, Odds
    from edgewise.domain.stories import Story

FORECASTS: Final[tuple[tuple[str, str, Unit], ...]] = (
    ("quality", "quality", units.quality),
    ("latency", "latency_s", units.seconds),
    ("cost", "cost_usd", units.usd),
    ("utility", "utility", units.quality),
)


def story_page(story: Story, visit: Visit) -> Html:
    """All that is known of it: asked, chosen from whom and why, how it went, what others would have done."""
    decision = story.decision
    places = {one.id: str(one.location) for one in visit.sources.router.candidates}
    noted = notice("Thank you: that is in the log now.", "good") if "said" in visit.query else None
    return joined(
        (
            h.p(
                h.a("All decisions", href="/decisions"),
                " / ",
                h.span(decision.id, class_="id"),
                class_="path",
            ),
            noted,
            _head(story),
            _asked(story),
            card("Candidates", _candidates(decision, places), _intervals(decision, places)),
            _went(story, places),
            _feedback(story),
            h.div(_world(decision, visit), _evidence(decision), class_="grid pair"),
            _otherwise(decision, visit, places),
            _beside(story),
        )
    )


def _head(story: Story) -> Html:
    decision, outcome = story.decision, story.outcome
    who = (
        [candidate(decision.chosen, decision.location), " was chosen, because "]
        if decision.chosen
        else (["Nobody could be asked: "])
    )
    why = WHY.get(decision.reason, decision.reason) if decision.chosen else "every candidate was objected to"
    exploring = decision.chosen and 0 < decision.propensity < 1
    return h.div(
        h.p(who, why, ".", class_="lead"),
        facts(
            (
                ("When", units.moment(decision.at)),
                ("Ended", ended(outcome.status if outcome else None)),
                ("Latency", units.seconds(outcome.latency_s) if outcome else None),
                ("First token", units.seconds(outcome.ttft_s) if outcome and outcome.ttft_s else None),
                ("Cost", _cost(story)),
                ("Policy", text(decision.policy)),
                ("Propensity", f"{decision.propensity:.3g}" + (" (it was drawn)" if exploring else "")),
                ("Deciding took", units.seconds(decision.micros / 1e6) if decision.micros else None),
                ("Model asked for", text(decision.model)),
                ("Objective", text(decision.objective) if decision.objective else None),
                ("Session", _session(decision.session)),
                ("Privacy", text(decision.privacy) if decision.privacy else None),
                ("Key", text(decision.key) if decision.key else None),
            )
        ),
        class_="card",
    )


def _session(name: str | None) -> Child:
    return h.a(text(name), href=f"/decisions?{urlencode({'session': name})}") if name else None


def _cost(story: Story) -> Child:
    outcome = story.outcome
    if outcome is None:
        return None
    if outcome.cost_usd is None:
        return outcome.cost_state if outcome.cost_state == "unpriced" else "unknown"
    pretended = ", simulated" if story.decision.simulated and outcome.cost_usd else ""
    return f"{units.usd(outcome.cost_usd)} ({outcome.cost_state}{pretended})"


def _asked(story: Story) -> Html:
    decision, outcome = story.decision, story.outcome
    here = f"/decisions/{decision.id}"
    found = [
        h.span(name.removeprefix(FOUND), class_="badge warn")
        for name in decision.evidence
        if name.startswith(FOUND)
    ]
    if decision.prompt is not None:
        prompt = said(decision.prompt, rest=f"{here}/prompt.txt")
    else:
        prompt = h.p("Its text was not kept: [store] prompts says what is.", class_="quiet-text")
    private = h.p("Found in it, by the rules for what is private: ", found) if found else None
    answer: Html | None = None
    if outcome is not None and outcome.response is not None:
        answer = said(outcome.response, rest=f"{here}/answer.txt")
    elif outcome is not None and outcome.error:
        answer = notice(outcome.error[:1000], "bad")
    else:
        answer = h.p(
            "No answer is on record." if outcome is None else "Its text was not kept.", class_="quiet-text"
        )
    return h.div(card("Prompt", prompt, private), card("Answer", answer), class_="grid")


def _candidates(decision: Decision, places: Mapping[str, str]) -> Html:
    """Everybody side by side: odds and forecasts of those on the list, the objection to all others."""
    hard: dict[str, list[Objection]] = {}
    soft: dict[str, list[Objection]] = {}
    for one in decision.objections:
        (hard if one.penalty is None else soft).setdefault(one.candidate, []).append(one)
    measures = [
        m for m in FORECASTS if any(getattr(f, m[1]) is not None for f in decision.forecasts.values())
    ]
    columns = ("candidate", "odds", *(name for name, _, _ in measures), "what stood against it")
    drawn: list[Html] = []
    numbers = range(1, 2 + len(measures))
    for name in dict.fromkeys((*decision.shortlist, *hard)):
        forecast = decision.forecasts.get(name)
        chosen = name == decision.chosen
        held = [h.div(f"{one.sentence} ({one.rule})") for one in hard.get(name, [])]
        held += [
            h.div(f"{one.sentence} ({one.rule}, {one.penalty:g} of utility)") for one in soft.get(name, [])
        ]
        cells: list[Child] = [
            [candidate(name, places.get(name, "")), h.span(" chosen", class_="note") if chosen else None],
            units.share(decision.odds[name]) if name in decision.odds else "not eligible",
            *(_estimate(forecast, field, unit) for _, field, unit in measures),
            held or h.span("nothing", class_="note"),
        ]
        drawn.append(row(cells, numbers=numbers, mark="chosen" if chosen else "out" if name in hard else ""))
    return table(columns, (), caption="Candidates", numbers=numbers, rows_html=drawn)


def _estimate(forecast: Forecast | None, field: str, unit: Unit) -> Child:
    number: Estimate | None = getattr(forecast, field) if forecast else None
    if number is None:
        return units.UNKNOWN
    return [unit(number.mean), h.span(f" {unit(number.low)} to {unit(number.high)}", class_="note")]


def _intervals(decision: Decision, places: Mapping[str, str]) -> Html | None:
    """The forecasts as dots with their intervals, where at least two can be compared."""
    drawn: list[Html] = []
    for name, field, unit in FORECASTS:
        known = [(who, getattr(f, field)) for who, f in decision.forecasts.items() if getattr(f, field)]
        if len(known) > 1:
            spans = [(who, e.mean, e.low, e.high) for who, e in known]
            colours = [1 if places.get(who) == "cloud" else 0 for who, _ in known]
            least = min(0.0, *(e.low for _, e in known))
            drawn.append(whiskers(f"Forecast of {name}", spans, unit, least=least, colours=colours))
    return h.div(drawn, class_="grid") if drawn else None


def _went(story: Story, places: Mapping[str, str]) -> Html | None:
    outcome = story.outcome
    if outcome is None:
        return card("Attempts", h.p("No outcome is on record: nobody was asked, or it is under way."))
    if not outcome.attempts:
        return card("Attempts", h.p("Nobody was asked, and nothing was spent."))
    return h.section(timeline(outcome.attempts, places), class_="card", aria_label="Attempts")


def _feedback(story: Story) -> Html:
    identity = story.decision.id
    listed = [
        (units.moment(one.at), text(one.source), _means(one), text(one.comment or "", 2000))
        for one in story.feedback
    ]
    known = (
        table(("when", "who", "what", "in words"), listed, caption="Feedback so far")
        if listed
        else h.p("Nobody has said anything about this answer.", class_="quiet-text")
    )
    form = h.form(
        h.input(type="hidden", name="id", value=identity),
        h.div(
            h.label("In words, if you like", for_="comment"),
            h.input(type="text", name="comment", id="comment", maxlength=10_000),
            class_="stretch",
        ),
        h.button("Good answer", name="thumbs", value="up"),
        h.button("Bad answer", name="thumbs", value="down"),
        method="post",
        action="/decisions/feedback",
        class_="bar",
    )
    note = f"quality {story.quality:.2f}, by {story.judged_by}" if story.quality is not None else None
    return card("Feedback", form, known, note=note, id_="feedback")


def _means(one: Feedback) -> str:
    parts = (
        f"quality {one.quality:.2f}" if one.quality is not None else "",
        f"{one.rating:g} of 5" if one.rating is not None else "",
        f"thumbs {one.thumbs}" if one.thumbs else "",
        f"success {one.success:.2f}" if one.success is not None else "",
        f"{one.edit_distance:.0%} edited" if one.edit_distance is not None else "",
        "corrected" if one.correction else "",
        f"given up after {units.seconds(one.abandoned_s)}" if one.abandoned_s is not None else "",
    )
    return ", ".join(part for part in parts if part)


def _world(decision: Decision, visit: Visit) -> Html:
    if not decision.signals:
        return card("The world then", h.p("No signal was known at that moment.", class_="quiet-text"))
    known = visit.sources.router.signals()  # as they are now: the log has the numbers alone

    def said(name: str, value: float) -> str:
        return units.of_unit(known[name].unit)(value) if name in known else f"{value:.4g}"

    rows = [
        (name.partition(":")[0], name.partition(":")[2] or "this machine", said(name, value))
        for name, value in sorted(decision.signals.items())
    ]
    return card("The world then", table(("signal", "of", "value"), rows, caption="Signals", numbers=(2,)))


def _evidence(decision: Decision) -> Html:
    rows = [
        (FACTORS.get(name, name.replace("_", " ")), f"{value:.4g}")
        for name, value in decision.evidence.items()
        if not name.startswith(FOUND)
    ]
    if not rows:
        return card("What counted", h.p("The policy named no numbers behind its odds.", class_="quiet-text"))
    return card("What counted", table(("", "value"), rows, caption="Evidence", numbers=(1,)))


def _otherwise(decision: Decision, visit: Visit, places: Mapping[str, str]) -> Html:
    title = "Under another policy"
    router = visit.sources.router
    if (problem := can_tell(decision, router)) is not None:
        return card(title, h.p(problem, class_="quiet-text"))
    rows: list[list[Child]] = []
    for one in visit.wait(otherwise(decision, router)):
        if one.odds is None:
            rows.append([one.name, h.span(one.error or "", class_="note"), "", ""])
            continue
        rows.append([one.name, *_choice(one.odds, decision.chosen, places)])
    note = "the same prompt, shortlist and signals; policies as they are now, without exploration"
    return card(
        title,
        table(("policy", "would choose", "or else", "instead"), rows, caption="Other policies"),
        note=note,
    )


def _choice(odds: Odds, chosen: str, places: Mapping[str, str]) -> list[Child]:
    """Its favourite, who else might have been drawn, and whether that is what was done."""
    ranked = sorted(odds.by_id.items(), key=lambda one: -one[1])
    (favourite, most), rest = ranked[0], [one for one in ranked[1:] if one[1] > 0]
    others = ", ".join(f"{name} {units.share(probability)}" for name, probability in rest)
    if rest and rest[0][1] == most:
        return ["a draw", f"{favourite} {units.share(most)}, {others}", "left to chance"]
    same = "the same" if favourite == chosen else "another"
    return [
        [candidate(favourite, places.get(favourite, "")), f" {units.share(most)}"],
        others or "nobody",
        same,
    ]


def _beside(story: Story) -> Html | None:
    """The shadow's choice, where one watched."""
    shadow = story.decision.shadow
    if shadow is None:
        return None
    if shadow.chosen is None:
        return card(
            "Shadow", h.p(f"Policy {shadow.policy} watched, and failed: ", text(shadow.error or "", 500))
        )
    told = story.shadow.outcome if story.shadow else None
    rows = (
        ("Policy", text(shadow.policy)),
        ("Would have chosen", f"{shadow.chosen} ({units.share(shadow.odds.get(shadow.chosen))})"),
        ("Was asked, too", ended(told.status) if told else "no"),
        ("Latency", units.seconds(told.latency_s) if told else None),
        ("Cost", units.usd(told.cost_usd) if told else None),
    )
    answer = said(told.response) if told is not None and told.response else None
    return card("Shadow", facts(rows), answer, note="no client saw this answer")
