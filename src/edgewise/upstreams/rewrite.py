"""The body that one candidate gets: the client's own bytes, changed as little as can be.

Usually only the model's name is spliced in (0.2 us); a body that carries more of ours, or names
`"model"` twice, is taken apart at its top level and put together again, every value's bytes kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from edgewise.domain.requests import Request

ASK_FOR_USAGE = b'{"stream_options":{"include_usage":true},'
# A key is followed by a colon; inside a string the quotes would be escaped.
ESCAPED = b"\\u006"  # how each letter of "model" is escaped
MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"\\]|\\.)*"')
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


def body_for(request: Request, model: str) -> bytes:
    """The request's body with `model` in it, usage asked for, and nothing of ours left."""
    body = request.body
    if request.extended or (request.stream and request.stream_options and not request.wants_usage):
        return _rebuilt(request, model)
    # Of two spellings of one key the candidate may read the other one: "mod\\u0065l" is such a spelling.
    if body.count(b'"model"') != 1 or ESCAPED in body:
        return _rebuilt(request, model)
    found = MODEL.search(body)
    if found is None:
        return _rebuilt(request, model)
    start, end = found.span()
    spliced = b'%b"model":%b%b' % (body[:start], _encode(model), body[end:])
    if request.stream and not request.stream_options:
        return ASK_FOR_USAGE + spliced[spliced.index(b"{") + 1 :]
    return spliced


def _rebuilt(request: Request, model: str) -> bytes:
    fields = _top_level.decode(request.body)
    fields.pop("edgewise", None)
    fields["model"] = msgspec.Raw(_encode(model))
    if request.stream and not request.wants_usage:
        options = _top_level.decode(fields.get("stream_options") or b"{}") if _is_object(fields) else {}
        options["include_usage"] = msgspec.Raw(b"true")
        fields["stream_options"] = msgspec.Raw(_encode(options))
    return _encode(fields)


def _is_object(fields: dict[str, msgspec.Raw]) -> bool:
    options = fields.get("stream_options")
    return options is not None and bytes(options).lstrip().startswith(b"{")
