"""A decision told in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.outcomes import wording
from edgewise.outcomes.plain import plain, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from edgewise.domain.candidates import Objection
    from edgewise.domain.decisions import (
        Attempt,
        Decision,
        Feedback,
        Reason,
        Shadow,
    )
    from edgewise.domain.stories import Story

FOUND = "found:"  # before the rules' names in a decision's evidence
TEXT = 300  # characters of a prompt or an answer
WHY: dict[Reason, str] = {
    "best_utility": "it promised the most for the objective",
    "pinned": "the caller asked for it by name",
    "only_candidate": "no other was left",
    "optimal_edge": "the prompt is simple enough for the edge",
    "high_complexity": "the prompt is too complex for the edge",
    "low_confidence": "the edge was not sure enough of its own answer",
    "out_of_scope": "the prompt is none of those that the edge was made for",
    "explored": "this was a try-out: exploration picked it over the favourite, to learn from it",
    "privacy": "the prompt must not leave this machine or site",
    "offline": "the others could not be reached",
    "overloaded": "the others had too much to do",
    "budget": "the budget speaks against the others",
    "capability": "it alone can do what the request needs",
    "session": "it has answered this conversation before",
    "fallback": "the one before it failed",
    "hedge": "a second one was asked to be on the safe side",
    "shadow": "a policy that was only watched would have chosen it; no client saw its answer",
}
FACTORS = {
    "length": "length",
    "syntax": "sentence structure",
    "emotion": "emotional and escalation words",
    "uncertainty": "uncertainty of the edge",
    "confidence": "how sure the edge is of its label",
    "quality": "forecast quality of the edge's answer",
    "least": "the least that lets it stand",
}
RULE = "rule:"  # before a rule's name
TOLD = ("score", "threshold", "penalties", "escalated", "edge_s", "firm", "answer_read", "watched")
ENDED = {
    "ok": "was answered",
    "error": "failed before an answer began",
    "cancelled": "was cancelled",
    "incomplete": "broke off in mid-answer",
}


def explain(story: Story, *, zone: tzinfo | None = None) -> str:
    """Who was asked, why, against whom, and how it went: several lines, safe for a terminal.

    Times are of the time zone `zone`, by default this machine's.
    """
    told = [*_asked(story.decision, zone), "", *_chosen(story.decision)]
    told += ["", *_went(story, zone)]
    if story.decision.shadow is not None:
        told += ["", *_beside(story, story.decision.shadow)]
    if story.feedback:
        told += ["", "Feedback:", *(f"  {_said(f, zone)}" for f in story.feedback)]
    return "\n".join(told)


def _asked(decision: Decision, zone: tzinfo | None) -> Iterator[str]:
    kind = "a streamed answer" if decision.stream else "an answer"
    yield f"Decision {plain(decision.id)}, {wording.moment(decision.at, zone)}."
    if decision.prompt is not None:
        yield f'The prompt: "{shortened(decision.prompt, TEXT)}"'
    elif decision.prompt_hash is not None:
        yield f"The prompt's text was not kept; its keyed hash is {plain(decision.prompt_hash)[:16]}…"
    else:
        yield "The prompt's text was not kept."
    wish = f"The caller wanted {kind} from the model '{plain(decision.model)}'"
    if decision.objective:
        wish += f", judged by '{plain(decision.objective)}'"
    if decision.session:
        wish += f", in session '{plain(decision.session)}'"
    yield wish + "."
    yield from _private(decision)
    if decision.shadow_of is not None:
        yield f"This is what a shadow did beside decision {plain(decision.shadow_of)}."


def _private(decision: Decision) -> Iterator[str]:
    """What was found that is private, and what the prompt was held to."""
    found = ", ".join(
        plain(name.removeprefix(FOUND)) + (f" ({times:g} times)" if times > 1 else "")
        for name, times in decision.evidence.items()
        if name.startswith(FOUND)
    )
    if found:
        yield f"Found in the request, by the rules for what is private: {found}."
    if decision.privacy and found:
        yield f"The prompt was held to '{plain(decision.privacy)}'."
    elif decision.privacy:
        yield f"The prompt was declared '{plain(decision.privacy)}', by the request, its key or its session."


def _chosen(decision: Decision) -> Iterator[str]:
    if decision.chosen:
        yield from _choice(decision)
    else:
        yield "Nobody was asked: every candidate was objected to."
    hard = [objection for objection in decision.objections if objection.penalty is None]
    if hard:
        yield "Not eligible:"
        yield from (f"   {_objected(objection)}." for objection in hard)
    # What is held against somebody who may not answer anyway is left out: it decided nothing.
    soft = [o for o in decision.objections if o.penalty is not None and o.candidate in decision.shortlist]
    if soft:
        yield "Held against:"
        yield from (f"   {_objected(o)}, {_weight(o.penalty)}." for o in soft)
    if counted := list(_evidence(decision.evidence)):
        yield from ("What counted:", *counted)
    if decision.signals:
        yield from ("What was known of the world:", *wording.world(decision.signals))


def _objected(objection: Objection) -> str:
    why = plain(objection.sentence).rstrip(".")
    return f"{plain(objection.candidate)}: {why} ({objection.rule})"


def _weight(penalty: float | None) -> str:
    return f"{penalty:g} of utility" if penalty else "which gave way, as nobody else was left"


def _choice(decision: Decision) -> Iterator[str]:
    label = wording.name(decision.chosen, simulated=decision.simulated)
    yield f"Chosen: {label} ({decision.location}), because {WHY.get(decision.reason, decision.reason)}."
    yield _drawn(decision)
    yield ""
    yield f"On the shortlist, with the odds of policy {plain(decision.policy)}:"
    for candidate in decision.shortlist:
        mark = "→" if candidate == decision.chosen else " "
        forecast = decision.forecasts.get(candidate)
        expected = f"; expected: {wording.forecast(forecast)}" if forecast else ""
        name = wording.name(candidate, simulated=decision.simulated and candidate == decision.chosen)
        yield f" {mark} {name}: {wording.percent(decision.odds.get(candidate, 0.0))}{expected}"


def _drawn(decision: Decision) -> str:
    took = f"Deciding took {decision.micros:.0f} µs."
    if len(decision.shortlist) == 1 or decision.propensity >= 1.0:
        return f"It was certain to be chosen (propensity 1). {took}"
    return (
        f"It was drawn with a probability of {wording.percent(decision.propensity)}, its propensity. {took}"
    )


def _evidence(evidence: dict[str, float]) -> Iterator[str]:
    yield from _read(evidence)
    for name, value in evidence.items():
        if name not in TOLD and not name.startswith((FOUND, RULE)):
            yield f"   {plain(FACTORS.get(name, name))}: {value:.2f}"
    score, threshold = evidence.get("score"), evidence.get("threshold")
    held = evidence.get("penalties", 0.0)  # against the edge, less what is held against the cloud
    if score is not None and threshold is not None:
        side = "above" if score + held > threshold else "not above"
        more = f" and {held:+.2f} for what is held against the edge or the cloud" if held else ""
        yield f"   score {score:.2f}{more}, {side} the threshold of {threshold:.2f}"
    elif score is not None:
        yield f"   score {score:.2f}"


def _read(evidence: dict[str, float]) -> Iterator[str]:
    """What a cascade made of the edge's answer."""
    wanted = evidence.get("escalated")
    if wanted is None:
        return
    after = wording.seconds(evidence.get("edge_s", 0.0))
    read = " and was read" if evidence.get("answer_read") else ""
    verdict = "the cloud is wanted" if wanted else "it may stand"
    yield f"   the edge's answer was there after {after}{read}: {verdict}"
    for name in evidence:
        if name.startswith(RULE):
            yield f"   the rule '{plain(name.removeprefix(RULE))}' applies"
    if evidence.get("watched"):
        yield "   this text was picked to show whether what was promised still holds"


def _went(story: Story, zone: tzinfo | None) -> Iterator[str]:
    outcome, decision = story.outcome, story.decision
    if outcome is None:
        yield "No outcome is recorded: nobody was asked, it is still under way, or the process died."
        return
    for number, attempt in enumerate(outcome.attempts, start=1):
        simulated = decision.simulated and attempt.candidate == decision.chosen
        yield f"Attempt {number}: {_attempt(attempt, simulated=simulated)}"
    simulated = decision.simulated and outcome.candidate == decision.chosen
    by = f" by {wording.name(outcome.candidate, simulated=simulated)}" if outcome.status == "ok" else ""
    first = f", the first words after {wording.seconds(outcome.ttft_s)}" if outcome.ttft_s is not None else ""
    yield (
        f"The request {ENDED[outcome.status]}{by} after {wording.seconds(outcome.latency_s)}{first} "
        f"({wording.moment(outcome.at, zone)})."
    )
    if outcome.error:
        yield f"What went wrong: {shortened(outcome.error, TEXT)}"
    if not outcome.attempts and decision.chosen:
        yield "Nobody was asked, and nothing was spent."
    if outcome.attempts:
        yield f"Tokens: {wording.tokens(outcome)}. Cost: {wording.cost(outcome, simulated=simulated)}."
        if (energy := wording.energy(outcome)) is not None:
            yield f"Energy: {energy}."
    if outcome.response is not None:
        yield f'The answer: "{shortened(outcome.response, TEXT)}"'


def _beside(story: Story, shadow: Shadow) -> Iterator[str]:
    """What the policy that was only watched would have done, and what came of it where it was asked."""
    who = f"Policy {plain(shadow.policy)} was only watched"
    if shadow.chosen is None:
        yield f"{who}, and failed: {shortened(shadow.error or 'nothing more is known', TEXT)}"
        return
    same = ", too" if shadow.chosen == story.decision.chosen else ""
    odds = wording.percent(shadow.odds.get(shadow.chosen, 0.0))
    expected = shadow.forecasts.get(shadow.chosen)
    hopes = f"; expected: {wording.forecast(expected)}" if expected else ""
    yield f"{who}; it would have chosen {plain(shadow.chosen)}{same} ({odds}{hopes})."
    if not shadow.ask:
        return
    told = story.shadow
    if told is None or told.outcome is None:
        yield "It was to be asked, too, but no answer is on record: too much waited, or it is under way."
        return
    outcome = told.outcome
    took, cost = wording.seconds(outcome.latency_s), wording.cost(outcome, simulated=told.decision.simulated)
    yield f"It was asked, too: that request {ENDED[outcome.status]} after {took}."
    yield f"Tokens: {wording.tokens(outcome)}. Cost: {cost}. Its record: {plain(told.decision.id)}"
    if outcome.error:
        yield f"What went wrong: {shortened(outcome.error, TEXT)}"
    if outcome.response is not None:
        yield f'Its answer, which no client saw: "{shortened(outcome.response, TEXT)}"'


def _attempt(attempt: Attempt, *, simulated: bool) -> str:
    who = wording.name(attempt.candidate, simulated=simulated)
    said = f"+{wording.seconds(attempt.started_s)} {who} was asked"
    if attempt.ttft_s is not None:
        said += f", began after {wording.seconds(attempt.ttft_s)}"
    said += (
        f", {'done' if attempt.status == 'ok' else attempt.status} after {wording.seconds(attempt.latency_s)}"
    )
    if attempt.http_status is not None:
        said += f" (HTTP {attempt.http_status})"
    if attempt.error:
        said += f": {shortened(attempt.error, TEXT)}"
    return said if said.endswith(".") else said + "."


def _said(feedback: Feedback, zone: tzinfo | None) -> str:
    parts = [
        f"quality {feedback.quality:g}" if feedback.quality is not None else "",
        f"rating {feedback.rating:g}" if feedback.rating is not None else "",
        f"thumbs {feedback.thumbs}" if feedback.thumbs else "",
        f"success {feedback.success:g}" if feedback.success is not None else "",
        f"edit distance {feedback.edit_distance:g}" if feedback.edit_distance is not None else "",
        "corrected by what followed" if feedback.correction else "",
        f"given up after {wording.seconds(feedback.abandoned_s)}" if feedback.abandoned_s is not None else "",
        f'"{shortened(feedback.comment, TEXT)}"' if feedback.comment else "",
    ]
    said = ", ".join(part for part in parts if part) or "nothing"
    return f"{plain(feedback.source)}, {wording.moment(feedback.at, zone)}: {said}"
