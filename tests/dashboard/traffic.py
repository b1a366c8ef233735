"""A gateway with something to show: three scripted candidates, and a little of everything in the log."""

from __future__ import annotations

import math
import random
from pathlib import Path
from time import time
from typing import Any

from tests.cli.stored import fill
from tests.servers import Running

from edgewise.domain.decisions import Attempt, Decision, Feedback, Outcome, Record
from edgewise.domain.ids import mint

CONFIG = """
[policy]
explore = 0.0
[budget]
usd_per_day = 2.0
[[candidates]]
id = "phi"
location = "edge"
script = { replies = ["Paris.", "Four, as far as anybody knows."] }
[[candidates]]
id = "mini"
location = "cloud"
price = { input = 0.15, output = 0.60 }
script = { replies = ["A longer answer, as a larger model gives it."] }
[[candidates]]
id = "grand"
location = "cloud"
price = { input = 3.0, output = 15.0 }
script = { replies = ["A considered answer."] }
"""
PROMPTS = (
    "What is the capital of France?",
    "Translate 'good morning' into Spanish.",
    "Explain the theory of relativity and its implications for modern physics, including the experimental "
    "evidence for time dilation and how satellite navigation has to correct for it every single day",
    "Write a haiku about rain.",
    "Summarise in one sentence: the meeting was moved from Monday to Wednesday.",
)


def ask(running: Running, prompt: str, model: str = "auto", **more: Any) -> str:
    """Ask the gateway, and give back the answer's decision."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
    status, _ = running.post("/v1/chat/completions", body)
    assert status == 200
    _, listed = running.get("/v1/decisions?limit=1")
    found: str = listed["data"][0]["id"]
    return found


def begin(running: Running) -> None:
    """Some requests, to each candidate, with an objection, a session and feedback among them."""
    for turn in range(3):
        for at, prompt in enumerate(PROMPTS):
            asked = ask(running, prompt, ("auto", "mini", "auto", "grand", "auto:random")[(turn + at) % 5])
            if at % 2 == 0:
                running.post("/v1/feedback", {"id": asked, "thumbs": "up" if turn else "down"})
    ask(running, "My secret is safe here.", edgewise={"privacy": "local"})
    ask(running, "And in a session?", edgewise={"session": "support-7"})


def a_day(log: Path, requests: int = 1500) -> None:
    """Fill a log with a made-up day: busier by day than by night, some failures, a fallback, feedback."""
    dice, now, records = random.Random(8), time(), list[Record]()
    while len(records) < 2 * requests:
        hours = 24 * dice.random()
        if dice.random() > 0.25 + 0.75 * math.sin(math.pi * hours / 24) ** 2:
            continue
        records += _story(dice, now - 3600 * hours)
    fill(log, *sorted(records, key=lambda one: one.at))


def _story(dice: random.Random, at: float) -> list[Record]:
    """One request of that day."""
    prompt = dice.choice(PROMPTS)
    name = "phi" if len(prompt) < 100 and dice.random() < 0.95 else dice.choice(("mini", "mini", "grand"))
    tokens: dict[str, Any] = {"input_tokens": len(prompt) // 4, "output_tokens": dice.randrange(20, 400)}
    took = {"phi": 0.35, "mini": 0.9, "grand": 1.6}[name] * dice.lognormvariate(0, 0.4)
    usd = {"phi": 0.0, "mini": 0.6e-6, "grand": 15e-6}[name] * tokens["output_tokens"]
    decision = Decision(
        id=mint(),
        at=at,
        chosen=name,
        location="edge" if name == "phi" else "cloud",
        policy="complexity",
        reason="optimal_edge" if name == "phi" else "high_complexity",
        propensity=1.0,
        odds={one: float(one == name) for one in ("phi", "mini", "grand")},
        shortlist=("phi", "mini", "grand"),
        evidence={"length": len(prompt) / 250, "score": len(prompt) / 250, "threshold": 0.5},
        prompt=prompt,
        micros=dice.uniform(40, 90),
    )
    calls = [
        Attempt(
            candidate=name, status="ok", started_s=0.001, latency_s=took, cost_state="billed", cost_usd=usd
        )
    ]
    answered = name
    if dice.random() < 0.02:  # the first fails, and another takes over
        calls.insert(
            0, Attempt(candidate=name, status="error", started_s=0.001, latency_s=0.4, http_status=503)
        )
        answered = "mini" if name != "mini" else "grand"
        calls[1] = Attempt(
            candidate=answered, status="ok", started_s=0.42, latency_s=took, cost_state="billed", cost_usd=usd
        )
    outcome = Outcome(
        decision_id=decision.id,
        at=at + took,
        status="error" if dice.random() < 0.01 else "ok",
        candidate=answered,
        latency_s=took,
        cost_usd=usd,
        cost_state="billed",
        response="An answer of that day.",
        attempts=tuple(calls),
        **tokens,
    )
    if dice.random() > 0.2:
        return [decision, outcome]
    said: Any = "up" if dice.random() < 0.9 else "down"
    return [decision, outcome, Feedback(id=mint(), decision_id=decision.id, at=at + 60, thumbs=said)]
