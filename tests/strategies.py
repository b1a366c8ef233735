"""Hypothesis strategies for the records of the domain: whatever these draw, Edgewise must take."""

from __future__ import annotations

from string import ascii_lowercase, digits
from typing import Literal, get_args

from hypothesis import strategies as st

from edgewise.domain.candidates import (
    Candidate,
    CandidateKind,
    Capabilities,
    Location,
    Objection,
    Price,
    Rule,
    Shortlist,
    Trust,
)
from edgewise.domain.decisions import (
    Attempt,
    AttemptStatus,
    CostState,
    Decision,
    Estimate,
    Feedback,
    Forecast,
    Odds,
    Outcome,
    OutcomeStatus,
    Reason,
    Record,
    Shadow,
)
from edgewise.domain.requests import Features, Needs, Request, Situation, Wishes
from edgewise.domain.signals import Signal

ids = st.text(ascii_lowercase + digits + "._-", min_size=1, max_size=12).filter(lambda text: text != "auto")
texts = st.text(max_size=200)
shares = st.floats(0.0, 1.0)
amounts = st.floats(0.0, 1e6, allow_nan=False)
times = st.floats(1.6e9, 2.2e9, allow_nan=False)
tokens = st.integers(0, 200_000)
request_ids = st.integers(0, 16**32 - 1).map(lambda number: f"req_{number:032x}")

prices = st.builds(Price, input=amounts, output=amounts)
capabilities = st.builds(
    Capabilities,
    tools=st.booleans(),
    vision=st.booleans(),
    json_schema=st.booleans(),
    context_tokens=st.none() | st.integers(1, 200_000),
)
candidates = st.builds(
    Candidate,
    id=ids,
    location=st.sampled_from(get_args(Location)),
    trust=st.sampled_from(get_args(Trust)),
    kind=st.sampled_from(get_args(CandidateKind)),
    model=ids,
    price=st.none() | prices,
    capabilities=capabilities,
    simulated=st.booleans(),
    power_watts=st.none() | amounts,
)
fields = st.lists(candidates, min_size=1, max_size=5, unique_by=lambda c: c.id)
"""The candidates of one configuration: at least one, no id twice."""

objections = st.builds(Objection, candidate=ids, rule=st.sampled_from(get_args(Rule)), sentence=texts)


@st.composite
def shortlists(draw: st.DrawFn) -> Shortlist:
    kept = draw(fields)
    penalised = draw(st.dictionaries(st.sampled_from([c.id for c in kept]), amounts))
    return Shortlist(tuple(kept), penalised)


needs = st.builds(
    Needs,
    input_tokens=tokens,
    output_tokens=tokens,
    tools=st.booleans(),
    vision=st.booleans(),
    json_schema=st.booleans(),
)
wishes = st.builds(
    Wishes,
    model=st.just("auto") | ids.map("auto:{}".format) | ids,
    privacy=st.sampled_from([None, "local"]),
    session=st.none() | ids,
    objective=st.none() | ids,
    candidates=st.none() | st.lists(ids, max_size=3).map(tuple),
)
requests = st.builds(
    Request,
    id=request_ids,
    prompt=texts,
    text=texts,
    body=st.binary(max_size=50),
    wishes=wishes,
    needs=needs,
    stream=st.booleans(),
)

signals = st.builds(
    Signal,
    name=ids,
    value=st.none() | amounts,
    unit=st.sampled_from(["s", "share", "usd"]),
    at=times,
    source=ids,
    state=st.sampled_from(["unknown", "normal", "constrained", "critical"]),
    ttl_s=amounts,
)
worlds = st.lists(signals, max_size=3).map(lambda found: {signal.name: signal for signal in found})
"""Signals by name."""

features = st.builds(
    Features,
    named=st.fixed_dictionaries(
        {
            "characters": amounts,
            "words_per_sentence": amounts,
            "emotion_words": st.integers(0, 30).map(float),
            "escalation_words": st.integers(0, 30).map(float),
        },
        optional={"confidence": shares},
    ),
    vector=st.none() | st.lists(shares, max_size=4).map(tuple),
    version=st.just("text-1"),
)
"""Features with the names that the text policies read."""

situations = st.builds(Situation, features=features, shortlist=shortlists(), signals=worlds)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    low, mean, high = sorted(draw(st.tuples(amounts, amounts, amounts)))
    return Estimate(mean, low, high)


forecasts = st.builds(
    Forecast,
    quality=st.none() | estimates(),
    latency_s=st.none() | estimates(),
    cost_usd=st.none() | estimates(),
    energy_j=st.none() | estimates(),
    utility=st.none() | estimates(),
)
evidence = st.dictionaries(ids, amounts, max_size=4)


@st.composite
def odds_over(draw: st.DrawFn, names: list[str]) -> Odds:
    """Sound odds for these candidates, in this order."""
    weights = draw(st.lists(st.integers(0, 100), min_size=len(names), max_size=len(names)).filter(any))
    return Odds(
        {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)},
        draw(st.sampled_from(get_args(Reason))),
        draw(st.dictionaries(st.sampled_from(names), forecasts)),
        draw(evidence),
        draw(shares),
    )


odds = st.lists(ids, min_size=1, max_size=5, unique=True).flatmap(odds_over)


@st.composite
def shadows_over(draw: st.DrawFn, names: list[str]) -> Shadow:
    """What another policy would have chosen of these candidates, or how it failed."""
    drawn = draw(odds_over(names))
    failed = Shadow(draw(ids), error=draw(texts))
    seen = Shadow(draw(ids), drawn.favourite, drawn.by_id, forecasts=drawn.forecasts, ask=draw(st.booleans()))
    return draw(st.sampled_from([failed, seen]))


@st.composite
def decisions(draw: st.DrawFn, prompts: Literal["full", "none"] = "full") -> Decision:
    drawn = draw(odds)
    chosen = draw(st.sampled_from([name for name, p in drawn.by_id.items() if p > 0.0]))
    asked = draw(wishes)
    return Decision(
        id=draw(request_ids),
        at=draw(times),
        chosen=chosen,
        location=draw(st.sampled_from(get_args(Location))),
        policy=draw(ids),
        reason=drawn.reason,
        propensity=drawn.by_id[chosen],
        odds=drawn.by_id,
        shortlist=tuple(drawn.by_id),
        forecasts=drawn.forecasts,
        objections=draw(st.lists(objections, max_size=3).map(tuple)),
        evidence=drawn.evidence,
        signals=draw(evidence),
        objective=asked.objective,
        model=asked.model,
        session=asked.session,
        privacy=asked.privacy,
        stream=draw(st.booleans()),
        simulated=draw(st.booleans()),
        prompt=draw(texts) if prompts == "full" else None,
        micros=draw(amounts),
        shadow=draw(st.none() | shadows_over(list(drawn.by_id))),
    )


cost_states = st.sampled_from(get_args(CostState))
attempts = st.builds(
    Attempt,
    candidate=ids,
    status=st.sampled_from(get_args(AttemptStatus)),
    started_s=amounts,
    latency_s=amounts,
    ttft_s=st.none() | amounts,
    http_status=st.none() | st.integers(100, 599),
    error=st.none() | texts,
    input_tokens=st.none() | tokens,
    output_tokens=st.none() | tokens,
    cost_usd=st.none() | amounts,
    cost_state=cost_states,
)
outcomes = st.builds(
    Outcome,
    decision_id=request_ids,
    at=times,
    status=st.sampled_from(get_args(OutcomeStatus)),
    candidate=ids,
    latency_s=amounts,
    ttft_s=st.none() | amounts,
    input_tokens=st.none() | tokens,
    output_tokens=st.none() | tokens,
    cost_usd=st.none() | amounts,
    cost_state=cost_states,
    error=st.none() | texts,
    response=st.none() | texts,
    attempts=st.lists(attempts, max_size=3).map(tuple),
)
feedback = st.builds(
    Feedback,
    id=ids,
    decision_id=request_ids,
    at=times,
    quality=st.none() | shares,
    rating=st.none() | amounts,
    thumbs=st.sampled_from([None, "up", "down"]),
    comment=st.none() | texts,
    source=ids,
    edit_distance=st.none() | shares,
    correction=st.sampled_from([None, True, False]),
    abandoned_s=st.none() | amounts,
    success=st.none() | shares,
)
records: st.SearchStrategy[Record] = st.one_of(decisions(), outcomes, feedback)
