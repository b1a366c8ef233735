"""A decision told in plain sentences."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edgewise.outcomes.plain import plain, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from edgewise.domain.decisions import (
        Attempt,
        CostState,
        Decision,
        Estimate,
        Feedback,
        Forecast,
        Outcome,
        Reason,
    )
    from edgewise.domain.stories import Story

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
    "budget": "the others would have broken the budget",
    "capability": "it alone can do what the request needs",
    "session": "it has answered this conversation before",
    "fallback": "the one before it failed",
    "hedge": "a second one was asked to be on the safe side",
    "shadow": "it was only watched, not used",
}
FACTORS = {
    "length": "length",
    "syntax": "sentence structure",
    "emotion": "emotional and escalation words",
    "uncertainty": "uncertainty of the edge",
}
COST: dict[CostState, str] = {
    "billed": "by the tokens that were reported",
    "estimated": "estimated, the tokens were not reported",
    "unpriced": "unpriced",
}
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
    if story.feedback:
        told += ["", "Feedback:", *(f"  {_said(f, zone)}" for f in story.feedback)]
    return "\n".join(told)


def _asked(decision: Decision, zone: tzinfo | None) -> Iterator[str]:
    kind = "a streamed answer" if decision.stream else "an answer"
    yield f"Decision {plain(decision.id)}, {_moment(decision.at, zone)}."
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
    if decision.privacy:
        wish += f", and declared the prompt {plain(decision.privacy)}"
    yield wish + "."


def _chosen(decision: Decision) -> Iterator[str]:
    if decision.chosen:
        yield from _choice(decision)
    else:
        yield "Nobody was asked: every candidate was objected to."
    if decision.objections:
        yield "Not eligible:"
        for objection in decision.objections:
            why = plain(objection.sentence).rstrip(".")
            yield f"   {plain(objection.candidate)}: {why} ({objection.rule})."
    if decision.evidence:
        yield "What counted:"
        yield from _evidence(decision.evidence)


def _choice(decision: Decision) -> Iterator[str]:
    label = _name(decision.chosen, simulated=decision.simulated)
    yield f"Chosen: {label} ({decision.location}), because {WHY.get(decision.reason, decision.reason)}."
    yield _drawn(decision)
    yield ""
    yield f"On the shortlist, with the odds of policy {plain(decision.policy)}:"
    for candidate in decision.shortlist:
        mark = "→" if candidate == decision.chosen else " "
        forecast = decision.forecasts.get(candidate)
        expected = f"; expected: {_forecast(forecast)}" if forecast else ""
        name = _name(candidate, simulated=decision.simulated and candidate == decision.chosen)
        yield f" {mark} {name}: {_percent(decision.odds.get(candidate, 0.0))}{expected}"


def _drawn(decision: Decision) -> str:
    took = f"Deciding took {decision.micros:.0f} µs."
    if len(decision.shortlist) == 1 or decision.propensity >= 1.0:
        return f"It was certain to be chosen (propensity 1). {took}"
    return f"It was drawn with a probability of {_percent(decision.propensity)}, its propensity. {took}"


def _evidence(evidence: dict[str, float]) -> Iterator[str]:
    for name, value in evidence.items():
        if name not in ("score", "threshold"):
            yield f"   {plain(FACTORS.get(name, name))}: {value:.2f}"
    score, threshold = evidence.get("score"), evidence.get("threshold")
    if score is not None and threshold is not None:
        side = "above" if score > threshold else "not above"
        yield f"   score {score:.2f}, {side} the threshold of {threshold:.2f}"
    elif score is not None:
        yield f"   score {score:.2f}"


def _went(story: Story, zone: tzinfo | None) -> Iterator[str]:
    outcome, decision = story.outcome, story.decision
    if outcome is None:
        yield "No outcome is recorded: nobody was asked, it is still under way, or the process died."
        return
    for number, attempt in enumerate(outcome.attempts, start=1):
        simulated = decision.simulated and attempt.candidate == decision.chosen
        yield f"Attempt {number}: {_attempt(attempt, simulated=simulated)}"
    simulated = decision.simulated and outcome.candidate == decision.chosen
    by = f" by {_name(outcome.candidate, simulated=simulated)}" if outcome.status == "ok" else ""
    first = f", the first words after {_seconds(outcome.ttft_s)}" if outcome.ttft_s is not None else ""
    yield (
        f"The request {ENDED[outcome.status]}{by} after {_seconds(outcome.latency_s)}{first} "
        f"({_moment(outcome.at, zone)})."
    )
    if outcome.error:
        yield f"What went wrong: {shortened(outcome.error, TEXT)}"
    yield f"Tokens: {_tokens(outcome)}. Cost: {_cost(outcome, simulated=simulated)}."
    if outcome.response is not None:
        yield f'The answer: "{shortened(outcome.response, TEXT)}"'


def _attempt(attempt: Attempt, *, simulated: bool) -> str:
    said = f"+{_seconds(attempt.started_s)} {_name(attempt.candidate, simulated=simulated)} was asked"
    if attempt.ttft_s is not None:
        said += f", began after {_seconds(attempt.ttft_s)}"
    said += f", {'done' if attempt.status == 'ok' else attempt.status} after {_seconds(attempt.latency_s)}"
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
        f'"{shortened(feedback.comment, TEXT)}"' if feedback.comment else "",
    ]
    said = ", ".join(part for part in parts if part) or "nothing"
    return f"{plain(feedback.source)}, {_moment(feedback.at, zone)}: {said}"


def _forecast(forecast: Forecast) -> str:
    named = (
        ("quality", forecast.quality, ""),
        ("latency", forecast.latency_s, " s"),
        ("cost", forecast.cost_usd, " USD"),
        ("energy", forecast.energy_j, " J"),
        ("utility", forecast.utility, ""),
    )
    return ", ".join(f"{name} {_estimate(e)}{unit}" for name, e, unit in named if e is not None)


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.mean:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"


def _tokens(outcome: Outcome) -> str:
    asked, answered = ("unknown" if n is None else n for n in (outcome.input_tokens, outcome.output_tokens))
    return f"{asked} in, {answered} out"


def _cost(outcome: Outcome, *, simulated: bool) -> str:
    if outcome.cost_usd is None:
        return "unpriced" if outcome.cost_state == "unpriced" else "unknown, the tokens were not reported"
    pretended = "; simulated, nobody is charged" if simulated and outcome.cost_usd else ""
    return f"${outcome.cost_usd:.6f} ({COST[outcome.cost_state]}{pretended})"


def _name(candidate: str, *, simulated: bool) -> str:
    already = "simulated" in candidate
    return plain(candidate) + (" (simulated)" if simulated and not already else "")


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1.0 else f"{seconds:.2f} s"


def _moment(at: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(at, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
