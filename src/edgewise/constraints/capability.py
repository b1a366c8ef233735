"""What a candidate is able to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Needs, Request
    from edgewise.domain.signals import Signals


class Capability(Struct, frozen=True):
    """Only candidates that do what is asked for and can take its tools, images, JSON schema and length.

    To chat asks for a chat candidate, to label a text for a classifier of that task.

    The length is the estimated input and the output that was asked for, against the candidate's own
    context. A context that nobody knows is no reason to object. Of a conversation that may be trimmed only
    the least counts that has to stay.
    """

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate that lacks something the request needs."""
        del signals
        needs, can = request.needs, candidate.capabilities
        context = can.context_tokens
        to_read = needs.input_tokens if needs.least_tokens is None else needs.least_tokens
        if (
            _suits(needs, candidate)
            and (context is None or to_read + needs.output_tokens <= context)
            and (can.tools or not needs.tools)
            and (can.vision or not needs.vision)
            and (can.json_schema or not needs.json_schema)
        ):
            return None
        return Objection(candidate.id, "capability", _sentence(needs, candidate))


def _sentence(needs: Needs, candidate: Candidate) -> str:
    """The first thing that is missing. What more input cannot mend comes first, the length last."""
    can = candidate.capabilities
    if not _suits(needs, candidate):
        return _unsuited(needs, candidate)
    if needs.tools and not can.tools:
        return "It takes no tools, and the request brings some"
    if needs.vision and not can.vision:
        return "It takes no images, and the request brings some"
    if needs.json_schema and not can.json_schema:
        return "It cannot keep to a JSON schema, and the request asks for one"
    asked = f" and {needs.output_tokens} to answer" if needs.output_tokens else ""
    to_read = needs.input_tokens if needs.least_tokens is None else needs.least_tokens
    total = to_read + needs.output_tokens
    return (
        f"Its context holds {can.context_tokens} tokens, and the request needs about {total} "
        f"({to_read} to read{asked})"
    )


def _suits(needs: Needs, candidate: Candidate) -> bool:
    if needs.task is None:
        return candidate.kind == "chat"
    return candidate.kind == "classifier" and candidate.task == needs.task


def _unsuited(needs: Needs, candidate: Candidate) -> str:
    if needs.task is None:
        return f"It is a {candidate.kind} and does not chat"
    if candidate.kind != "classifier":
        return "It is no classifier, and a label is asked for"
    named = f"'{candidate.task}'" if candidate.task else "a task without a name"
    wanted = f"'{needs.task}'" if needs.task else "the task without a name"
    return f"It labels texts for {named}, and {wanted} is asked for"
