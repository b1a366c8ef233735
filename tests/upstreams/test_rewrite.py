"""The model's name is all that changes, unless more must."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edgewise.gateway.chat_body import parse_chat
from edgewise.upstreams.rewrite import body_for

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30).filter(
    str.strip
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
reserved = {"model", "messages", "stream", "stream_options", "edgewise", "tools", "functions",
            "response_format", "max_tokens", "max_completion_tokens", "n"}  # fmt: skip
bodies = st.fixed_dictionaries(
    {"messages": text.map(lambda t: [{"role": "user", "content": t}])},
    optional={
        "model": text,
        "stream": st.booleans(),
        "stream_options": st.none()
        | st.fixed_dictionaries({}, optional={"include_usage": st.booleans(), "x": values}),
        "edgewise": st.just({"session": "s"}),
    },
)
extras = st.dictionaries(text.filter(lambda key: key not in reserved), values, max_size=3)


@given(bodies, extras, st.sampled_from([None, (",", ":"), (", ", ": ")]), st.booleans())
def test_only_what_must_change_changes(
    body: dict[str, Any], extra: dict[str, Any], separators: tuple[str, str] | None, ascii_: bool
) -> None:
    whole = {**extra, **body}
    request = parse_chat(json.dumps(whole, separators=separators, ensure_ascii=ascii_).encode(), {})
    sent = json.loads(body_for(request, "the-model"))
    expected = {**whole, "model": "the-model"}
    expected.pop("edgewise", None)
    if request.stream:
        expected["stream_options"] = {**(whole.get("stream_options") or {}), "include_usage": True}
    assert sent == expected


def test_bytes_are_kept() -> None:
    messages = b'"messages":[{"role":"user","content":"\\u00e9 \\"model\\""}]}'
    body = b'{ "temperature": 0.10, "model" : "auto",\n ' + messages
    sent = body_for(parse_chat(body, {}), "m")
    assert sent == body.replace(b'"model" : "auto"', b'"model":"m"')


def test_a_model_named_in_a_tool_is_not_mistaken() -> None:
    body = b'{"tools":[{"model":"auto"}],"model":"auto","messages":[{"role":"user","content":"hi"}]}'
    assert json.loads(body_for(parse_chat(body, {}), "m")) == {
        "tools": [{"model": "auto"}],
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
    }
