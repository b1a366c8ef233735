"""`edgewise demo`: twenty real prompts, and who answered each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.cli.console import err, out, table
from edgewise.cli.lines import cost
from edgewise.cli.setup import ConfigOption, naming, run, settings_or_found
from edgewise.domain.decisions import Outcome
from edgewise.domain.errors import EdgewiseError

if TYPE_CHECKING:
    from edgewise.app import App
    from edgewise.domain.decisions import Record
    from edgewise.settings import Settings

PROMPTS = (
    "What is the capital of France?",
    "Translate 'good morning' into Spanish.",
    "What is 15 + 27?",
    "Name three primary colours.",
    "Write a haiku about rain.",
    "Is a tomato a fruit or a vegetable?",
    "Give me a synonym for 'happy'.",
    "What does HTTP stand for?",
    "Spell the word 'necessary'.",
    "How many days has a leap year?",
    "Rewrite politely: send me the report now.",
    "What is the boiling point of water at sea level in Celsius?",
    "List two differences between a list and a tuple in Python.",
    "Summarise in one sentence: The meeting was moved from Monday to Wednesday because the room was double "
    "booked and two of the five speakers could not travel on the original date.",
    "My account number is 123456789 and I need help with the upgrade process.",
    "I am extremely frustrated with this billing issue that has now been going on for three months despite "
    "multiple calls to your support team who seem completely unable to resolve it and I am angry",
    "This is unacceptable and terrible service and I demand to speak with a manager or a supervisor "
    "immediately because nobody has answered the complaint about the billing errors that I sent you",
    "Compare the trade-offs of optimistic and pessimistic locking for an inventory service that must stay "
    "correct under flash sales while keeping checkout latency below two hundred milliseconds everywhere",
    "Explain the theory of relativity and its implications for modern physics, including the experimental "
    "evidence for time dilation and how satellite navigation has to correct for it every single day",
    "I am furious and disgusted because the technician did not come again and I have waited the whole day at "
    "home so connect me with a supervisor who can handle an enterprise network configuration problem at once",
)


def command(*, config: ConfigOption = None) -> None:
    """Decide about twenty prompts in this process, ask whoever was chosen, and print it all as a table.

    No gateway need run. The answers are real; so are the waiting, the cost and the records in the log.
    """
    settings, notes = settings_or_found(config)
    for note in notes:
        err(note)
    with naming(config):
        run(_demo(settings))


async def _demo(settings: Settings) -> None:
    from edgewise.app import App  # noqa: PLC0415 - loaded only when something is asked

    outcomes: dict[str, Outcome] = {}

    def observe(record: Record) -> None:
        if isinstance(record, Outcome):
            outcomes[record.decision_id] = record

    rows: list[tuple[str, ...]] = []
    async with App(settings, observer=observe) as app:
        for number, prompt in enumerate(PROMPTS, start=1):
            rows.append(await _one(app, number, prompt, outcomes))
    columns = ("", "prompt", "answered by", "why", "score", "ms", "cost", "answer")
    table("Twenty prompts", columns, rows)
    spent = sum(outcome.cost_usd or 0.0 for outcome in outcomes.values())
    edge = sum(row[2].startswith("edge") for row in rows)
    out(
        f"{edge} of {len(rows)} answered at the edge; ${spent:.6f} spent. "
        "Ask `edgewise explain last` for the story."
    )


async def _one(app: App, number: int, prompt: str, outcomes: dict[str, Outcome]) -> tuple[str, ...]:
    from edgewise.gateway.chat_body import chat_of  # noqa: PLC0415 - loaded only when something is asked

    err(f"{number:>2} of {len(PROMPTS)}: {_short(prompt, 60)}")
    request = chat_of(prompt, {"max_tokens": 48, "temperature": 0.2})
    try:
        decision = (await app.router.route(request)).decision
    except EdgewiseError as error:
        return str(number), _short(prompt, 34), "nobody", "error", "", "", "", _short(str(error), 40)
    outcome = outcomes[request.id]
    label = " (simulated)" if decision.simulated else ""
    score = decision.evidence.get("score")
    return (
        str(number),
        _short(prompt, 34),
        f"{decision.location} {decision.chosen}{label}",
        decision.reason,
        "" if score is None else f"{score:.2f}",
        f"{outcome.latency_s * 1000:.0f}",
        cost(outcome),
        _short(outcome.response or "", 34),
    )


def _short(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
