"""Trees of settings for tests: a small TOML writer, and strategies for good and bad trees."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from edgewise.settings import Settings


def toml(tree: dict[str, Any]) -> str:
    """A tree as TOML, all of it in inline tables."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in tree.items())


def _key(name: str) -> str:
    return _value(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{{', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())}}}"
        case _:
            return str(value.isoformat())


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
scalars = (
    st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | texts
    | st.dates()
    | st.times()
    | st.datetimes()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
any_tree = st.dictionaries(texts, values, max_size=4)


def near(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values that often, but not always, fit the schema: the trees in which bugs would live."""
    return st.one_of(_fitting(kind), _fitting(kind), _fitting(kind), values)


def _fitting(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.UnionType():
            return near(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
        case inspect.StructType():
            named = {field.name: near(field.type) for field in kind.fields}
            needed = {field.name: named.pop(field.name) for field in kind.fields if field.required}
            return st.fixed_dictionaries(needed, optional=named)
        case inspect.DictType():
            return st.dictionaries(texts, near(kind.value_type), max_size=2)
        case inspect.VarTupleType():
            return st.lists(near(kind.item_type), max_size=2)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.IntType():
            return st.integers(-1, 70_000)
        case inspect.FloatType():
            return st.floats(-0.5, 1.5) | st.integers(-1, 2)
        case inspect.BoolType():
            return st.booleans()
        case inspect.StrType():
            return (
                st.sampled_from(["a", "b", "fixed", "random", "http://127.0.0.1:1/v1", "https://x.example"])
                | texts
            )
        case _:
            return values


near_tree = _fitting(inspect.type_info(Settings))

names = st.text(string.ascii_letters + string.digits + "._:-", min_size=1, max_size=12).filter(
    lambda name: name != "auto" and not name.startswith("auto:")
)
shares = st.floats(0, 1)
amounts = st.floats(0, 1e6)
spans = st.floats(0.001, 1e6)
_prices = st.fixed_dictionaries({"input": amounts, "output": amounts})
_networks = st.fixed_dictionaries(
    {},
    optional={
        "delay_ms": amounts,
        "jitter_ms": amounts,
        "loss": shares,
        "quality": shares,
        "seed": st.integers(0, 99),
    },
)
_scripts = st.fixed_dictionaries({}, optional={"replies": st.lists(texts, min_size=1, max_size=2)})
_urls = st.sampled_from(
    ["http://127.0.0.1:11434/v1", "https://api.example.com/v1", "http://[::1]:8000", "http://nas/v1"]
)
_places = st.one_of(
    st.fixed_dictionaries({"url": _urls}),
    st.fixed_dictionaries({"script": _scripts}),
    st.just({"embedded": "smollm2-135m"}),
)
_kinds: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just(dict[str, Any]()),
    st.just({"kind": "chat"}),
    st.fixed_dictionaries({"kind": st.just("classifier"), "labels": st.just(["yes", "no"])}),
    st.fixed_dictionaries(
        {"kind": st.just("classifier"), "labels": st.just(["yes", "no"]), "task": st.just("tickets")}
    ),
)
_options = st.fixed_dictionaries(
    {"location": st.sampled_from(["edge", "cloud"])},
    optional={
        "price": _prices,
        "trust": st.sampled_from(["device", "site", "cloud"]),
        "vision": st.booleans(),
        "tools": st.booleans(),
        "context_tokens": st.integers(1, 10**6),
        "timeout_s": spans,
        "network": _networks,
        "api_key_env": st.just("SOME_API_KEY"),
    },
)


@st.composite
def good_tree(draw: st.DrawFn) -> dict[str, Any]:
    """A tree without a fault."""
    ids = draw(st.lists(names, unique=True, max_size=3))
    candidates = [{"id": name, **draw(_places), **draw(_kinds), **draw(_options)} for name in ids]
    kinds: list[dict[str, Any]] = [{"kind": "complexity", "options": {"threshold": 0.4}}, {"kind": "random"}]
    kinds += [{"kind": "fixed", "candidate": name} for name in ids]
    policy = st.builds(lambda kind, rate: {**kind, "explore": rate}, st.sampled_from(kinds), shares)
    server: dict[str, Any] = {"port": draw(st.integers(0, 65_535)), "body_timeout_s": draw(spans)}
    if draw(st.booleans()):
        server["host"] = "0.0.0.0"  # noqa: S104 - nobody listens
        server["keys"] = [{"name": "one", "hash": "sha256:" + "0a" * 32, "scopes": ["read"]}]
    tree: dict[str, Any] = {"server": server, "policy": draw(policy), "candidates": candidates}
    tree["policies"] = draw(st.dictionaries(names, policy, max_size=2))
    tree["store"] = {
        "prompts": draw(st.sampled_from(["full", "hash", "none"])),
        "max_age_days": draw(amounts),
    }
    return tree
