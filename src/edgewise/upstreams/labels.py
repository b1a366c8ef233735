"""What a classifier's answer says: the body of a `/v1/classify` answer for one text, written and read."""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

from edgewise.domain.labels import Said
from edgewise.upstreams.reading import MOST_TOKENS, Reading, Usage

SHARE_TOLERANCE = 1e-3  # probabilities that somebody rounded


class _Answer(Struct):
    data: list[Said] = []
    usage: Usage | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Answer).decode


def label_body(said: Said, usage: Usage | int | None) -> bytes:
    """The answer of a classifier that used so much, or read so many tokens (0: nobody counted)."""
    if isinstance(usage, int):
        usage = Usage(usage, 0) if usage else None
    return _encode(_Answer([said], usage))


def unlabelled_body(usage: Usage | None) -> bytes:
    """The answer of one that named no label, and was paid for it all the same."""
    return _encode(_Answer([Said("")], usage))


def read_label(body: bytes) -> Reading:
    """Read the answer for one text. What is none comes back as `error`."""
    try:
        answer = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Reading("", None, "The candidate's answer is not a JSON classification.")
    usage = answer.usage
    if usage is not None and not (0 < usage.prompt_tokens <= MOST_TOKENS and usage.completion_tokens >= 0):
        usage = None
    if len(answer.data) != 1:
        return Reading("", usage, f"The candidate's answer has {len(answer.data)} labels for one text.")
    said = answer.data[0]
    if problem := problem_of(said):
        return Reading("", usage, problem)
    return Reading(said.label, usage, said=said)


def problem_of(said: Said) -> str | None:
    """Why this is nothing that a classifier can say, or None."""
    shares = said.probabilities
    if not said.label:
        return "The candidate named no label."
    if not shares:
        return None
    if said.label not in shares:
        return "The candidate gives no probability for the label that it names."
    if not all(0.0 <= share <= 1.0 for share in shares.values()):
        return "The candidate gives a probability that is none."
    if math.fsum(shares.values()) > 1.0 + SHARE_TOLERANCE:
        return "The candidate gives probabilities of more than 1 together."
    return None
