"""A gateway with something to show: three scripted candidates, and a little of everything in the log."""

from __future__ import annotations

from typing import Any

from tests.servers import Running

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
