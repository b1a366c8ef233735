"""A conversation cut to a window: the system prompt stays, the newest turns stay, a tool keeps its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from edgewise.domain.errors import RequestError
from edgewise.domain.tokens import TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE, tokens_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Decision
    from edgewise.domain.requests import Request

SAFE = 0.9  # of a window: tokens are estimated, and no model counts the same
ANSWER_SHARE = 4  # without a limit of its own, an answer has a quarter of the window
LONGEST_ANSWER = 1024  # … and at most so many tokens
ROOTS = ("system", "developer")
RESULTS = ("tool", "function")
LEFT_OUT = "messages_left_out"  # in a decision's evidence


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: str | None = None


class _Call(Struct):
    id: str = ""
    function: _Function = _Function()


class _Part(Struct):
    type: str = ""
    text: str | None = None


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Body(Struct):
    messages: list[Raw]


class Piece(NamedTuple):
    """What stays or goes as one: the numbers of its messages, their tokens, whether a turn begins here."""

    numbers: tuple[int, ...]
    tokens: float
    turn: bool
    root: bool


_body = msgspec.json.Decoder(_Body).decode
_message = msgspec.json.Decoder(_Message).decode
_top_level = msgspec.json.Decoder(dict[str, Raw]).decode


def trimmable(request: Request) -> Request:
    """The request with what it needs at the least: constraints then ask for that, not for all of it.

    Raises `RequestError` where its messages cannot be told apart.
    """
    try:
        _, pieces, beside = _taken_apart(request)
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"The conversation cannot be trimmed: {str(error).partition(' - ')[0]} in `messages`.",
            param="messages",
        ) from None
    least = sum(piece.tokens for piece in pieces if piece.root) + _least(pieces)
    needed = min(int((least + beside) / SAFE) + 1, request.needs.input_tokens)
    return replace(request, needs=replace(request.needs, least_tokens=needed))


def fitted(decision: Decision, candidate: Candidate, request: Request) -> tuple[Decision, Request]:
    """The request cut to the chosen candidate's window; the evidence says how many messages were left out."""
    window = candidate.capabilities.context_tokens
    if window is None:
        return decision, request
    cut, left_out = for_window(request, window)
    if not left_out:
        return decision, request
    return replace(decision, evidence={**decision.evidence, LEFT_OUT: float(left_out)}), cut


def for_window(request: Request, window: int) -> tuple[Request, int]:
    """The request with the newest messages that a window of so many tokens holds; how many were left out."""
    needs = request.needs
    reserved = needs.output_tokens or min(LONGEST_ANSWER, window // ANSWER_SHARE)
    bodies, pieces, beside = _taken_apart(request)
    room = SAFE * (window - reserved) - beside
    if sum(piece.tokens for piece in pieces) <= room:
        return request, 0
    kept = _kept(pieces, room)
    body = _top_level(request.body)
    body["messages"] = Raw(msgspec.json.encode([bodies[number] for number in sorted(kept)]))
    tokens = sum(piece.tokens for piece in pieces if piece.numbers[0] in kept)
    needs = replace(needs, input_tokens=int(tokens + beside))
    return replace(request, body=msgspec.json.encode(body), needs=needs), len(bodies) - len(kept)


def _taken_apart(request: Request) -> tuple[list[Raw], list[Piece], float]:
    """The messages, what of them belongs together, and the tokens of what stands beside them (tools)."""
    bodies = _body(request.body).messages
    messages = [_message(one) for one in bodies]
    beside = request.needs.input_tokens - sum(map(_tokens, messages))
    return bodies, _pieces(messages), max(0.0, beside)


def _kept(pieces: Sequence[Piece], room: float) -> set[int]:
    """The numbers of the messages that stay.

    Whole turns, the newest first, as long as they fit; of a single turn that does not fit, its beginning
    and its newest pieces. What must stay stays, also where the room is too small for it.
    """
    room -= sum(piece.tokens for piece in pieces if piece.root)
    others = [piece for piece in pieces if not piece.root]
    starts = [n for n, piece in enumerate(others) if piece.turn or n == 0]
    first = len(others)
    for start in reversed(starts):
        tokens = sum(piece.tokens for piece in others[start:first])
        if tokens > room:
            break
        room -= tokens
        first = start
    kept = others[first:]
    if not kept and others:
        kept = _part(others[starts[-1] :], room)
    stay = [*(piece for piece in pieces if piece.root), *kept]
    return {number for piece in stay for number in piece.numbers}


def _part(turn: Sequence[Piece], room: float) -> list[Piece]:
    """The beginning of a turn, its last piece, and as many before that as fit."""
    kept = [turn[-1]]
    room -= turn[-1].tokens + (turn[0].tokens if len(turn) > 1 else 0.0)
    for piece in reversed(turn[1:-1]):
        room -= piece.tokens
        if room < 0.0:
            break
        kept.insert(0, piece)
    return [turn[0], *kept] if len(turn) > 1 else kept


def _least(pieces: Sequence[Piece]) -> float:
    """The tokens of what stays whatever the window, the system prompt aside."""
    others = [piece for piece in pieces if not piece.root]
    if not others:
        return 0.0
    start = max((n for n, piece in enumerate(others) if piece.turn), default=0)
    turn = others[start:]
    return turn[-1].tokens + (turn[0].tokens if len(turn) > 1 else 0.0)


def _pieces(messages: Sequence[_Message]) -> list[Piece]:
    """Messages that belong together: a call, its results, and whatever stands between them."""
    answered = {m.tool_call_id: n for n, m in enumerate(messages) if m.role in RESULTS and m.tool_call_id}
    pieces: list[Piece] = []
    number = 0
    while number < len(messages):
        first = end = number
        while number <= end or (number < len(messages) and messages[number].role in RESULTS):
            end = max([end, *(answered.get(call.id, 0) for call in messages[number].tool_calls or ())])
            number += 1
        inside = messages[first:number]
        pieces.append(
            Piece(
                tuple(range(first, number)),
                sum(map(_tokens, inside)),
                inside[0].role == "user",
                len(inside) == 1 and inside[0].role in ROOTS,
            )
        )
    return pieces


def _tokens(message: _Message) -> float:
    tokens = TOKENS_PER_MESSAGE + tokens_in(message.content if isinstance(message.content, str) else "")
    for call in message.tool_calls or ():
        tokens += tokens_in(call.function.name) + tokens_in(call.function.arguments or "")
    for part in message.content if isinstance(message.content, list) else ():
        tokens += tokens_in(part.text) if part.text else TOKENS_PER_IMAGE * ("image" in part.type)
    return tokens
