"""One line for each decision, as it happens."""

from __future__ import annotations

from time import localtime, strftime
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Decision, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.decisions import Record

MOST_PENDING = 10_000
ERROR = 160  # characters of what went wrong: one line stays one; `edgewise explain` tells the rest


class Lines:
    """An observer of records that prints a line when a decision's outcome is known."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pending: dict[str, Decision] = {}

    def __call__(self, record: Record) -> None:
        """Take a record as it is written to the log."""
        if isinstance(record, Decision):
            if len(self._pending) < MOST_PENDING:
                self._pending[record.id] = record
        elif isinstance(record, Outcome) and (decision := self._pending.pop(record.decision_id, None)):
            self._say(line(decision, record))


def line(decision: Decision, outcome: Outcome) -> str:
    """Who answered, why, how long it took, what it cost, and the id to ask `edgewise explain` about.

    Safe for a terminal, whatever a candidate wrote into its error.
    """
    from edgewise.outcomes.plain import (  # noqa: PLC0415 - its room loads only with a decision to tell
        plain,
        shortened,
    )

    error = shortened(outcome.error or "", ERROR)
    ended = "" if outcome.status == "ok" else f"  {outcome.status.upper()}: {error}"
    return plain(
        f"{_chosen(decision)}  {outcome.latency_s * 1000:.0f} ms  {tokens(outcome)}  {cost(outcome)}"
        f"  decided in {decision.micros:.0f} µs  {decision.id}{ended}"
    )


def unfinished(decision: Decision) -> str:
    """The same while there is no outcome."""
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - the same

    return plain(f"{_chosen(decision)}  no outcome yet  {decision.id}")


def _chosen(decision: Decision) -> str:
    label = " (simulated)" if decision.simulated and "simulated" not in decision.chosen else ""
    at = strftime("%H:%M:%S", localtime(decision.at))
    return f"{at}  {decision.location:<5} {decision.chosen or 'nobody'}{label}  {decision.reason}"


def tokens(outcome: Outcome) -> str:
    """`12→34 tokens`, with a question mark where nobody counted."""
    counts = [("?" if n is None else str(n)) for n in (outcome.input_tokens, outcome.output_tokens)]
    return f"{counts[0]}→{counts[1]} tokens"


def cost(outcome: Outcome) -> str:
    """USD with its state: billed costs stand alone, the others say what they are."""
    if outcome.cost_usd is None:
        return "unpriced" if outcome.cost_state == "unpriced" else "cost unknown"
    return f"${outcome.cost_usd:.6f}" + ("" if outcome.cost_state == "billed" else f" ({outcome.cost_state})")
