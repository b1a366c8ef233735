"""Who called which tool, for clients that send nothing back of an answer but the call's id."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgewise.integrations.answers import Answered
    from edgewise.integrations.asking import Asking

MOST_CALLS = 1_000


class Callers:
    """The candidates behind the last calls of tools: a result is for whoever called, and nobody else."""

    def __init__(self) -> None:
        self._by_call: OrderedDict[str, str] = OrderedDict()

    def remember(self, asking: Asking, answer: Answered) -> None:
        """Note the calls in an answer, or in an event of one."""
        for choice in answer.choices:
            for call in choice.said.tool_calls or ():
                if call.id:
                    self._by_call[call.id] = asking.decided.chosen
        while len(self._by_call) > MOST_CALLS:
            self._by_call.popitem(last=False)

    def of(self, messages: list[Any]) -> str | None:
        """Who waits for the result that a conversation ends with."""
        match messages:
            case [*_, {"role": "tool", "tool_call_id": str(called)}]:
                return self._by_call.get(called)
            case _:
                return None
