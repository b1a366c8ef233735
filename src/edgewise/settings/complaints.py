"""What is wrong with a tree of settings, in one sentence: the key, what was found, what would be right.

`misfit` walks the tree beside the schema's types. It says more than a decoder's message can: the name of
a table inside `[policies]`, the value, the setting that was probably meant.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeGuard

from msgspec import Struct, inspect

from edgewise.settings.schema import Settings
from edgewise.settings.secrecy import shown, shown_key

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDEST_INT = 2**63
PLAIN: dict[type[inspect.Type], tuple[str, tuple[type, ...]]] = {
    inspect.IntType: ("a whole number", (int,)),
    inspect.FloatType: ("a number", (int, float)),
    inspect.StrType: ("a text", (str,)),
    inspect.BoolType: ("true or false", (bool,)),
}


class Complaint(Struct, frozen=True):
    """`key` is a path like `candidates[1].price.input`; `wrong` and `right` finish the sentence."""

    key: str
    wrong: str
    right: str

    def sentence(self, source: str) -> str:
        """The whole sentence, for a file or an environment called `source`."""
        end = "" if self.right.endswith("?") else "."
        return f"{source}: {self.key} {self.wrong}; {self.right}{end}"


def expected(key: str, value: Any, what: str) -> Complaint:
    """The common complaint: a value that is not what the setting takes."""
    return Complaint(key, f"is {shown(value, setting=leaf(key))}", f"expected {what}")


def leaf(key: str) -> str:
    """The setting's own name at the end of a key path, without an index."""
    return key.rpartition(".")[2].partition("[")[0]


def either(names: Iterable[str]) -> str:
    """`"a", "b" or "c"`; the names may be the operator's own."""
    *others, last = map(shown, names)
    return f"{', '.join(others)} or {last}" if others else last


def misfit(tree: Any, kind: inspect.Type, key: str = "") -> Complaint | None:
    """The first value in `tree` that `kind` does not take, or None. Decoding then cannot fail."""
    if isinstance(kind, inspect.UnionType):  # the schema's unions are all with None, which TOML cannot say
        kind = next(t for t in kind.types if not isinstance(t, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        return _record(tree, kind, key)
    if isinstance(kind, inspect.DictType):
        return _table(tree, kind, key)
    if isinstance(kind, inspect.VarTupleType):
        return _list(tree, kind, key)
    return None if isinstance(kind, inspect.AnyType) else _plain(tree, kind, key)


def _list(tree: Any, kind: inspect.VarTupleType, key: str) -> Complaint | None:
    if not _is_list(tree):
        return expected(key, tree, _list_of(kind.item_type, key))
    return _first(misfit(item, kind.item_type, f"{key}[{index}]") for index, item in enumerate(tree))


def _table(tree: Any, kind: inspect.DictType, key: str) -> Complaint | None:
    if not _is_table(tree):
        return expected(key, tree, "a table")
    return _first(misfit(v, kind.value_type, f"{key}.{shown_key(k)}") for k, v in tree.items())


def _plain(value: Any, kind: inspect.Type, key: str) -> Complaint | None:
    if isinstance(kind, inspect.LiteralType):
        known = isinstance(value, str) and value in kind.values
        return None if known else expected(key, value, either(map(str, kind.values)))
    what, types = PLAIN[type(kind)]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        return expected(key, value, what)
    if isinstance(value, int) and not -WIDEST_INT <= value < WIDEST_INT:
        return expected(key, value, f"{what} of at most 64 bits")
    return None


def _record(tree: Any, kind: inspect.StructType, key: str) -> Complaint | None:
    if not _is_table(tree):
        return expected(key, tree, f"a table with {', '.join(f.name for f in kind.fields)}")
    fields = {field.name: field for field in kind.fields}
    for name in tree:
        if name not in fields:
            return _unknown(name, list(fields), key)
    for name, field in fields.items():
        here = _join(key, name)
        if name in tree:
            if found := misfit(tree[name], field.type, here):
                return found
        elif field.required:
            wanted = misfit(None, field.type, here)
            return Complaint(here, "is missing", wanted.right if wanted else "expected a value")
    return None


def _unknown(name: str, known: list[str], key: str) -> Complaint:
    here = _join(key, shown_key(name))
    if near := get_close_matches(name, known, 1):
        return Complaint(here, "is not a setting", f"did you mean {_join(key, near[0])}?")
    section = next((s for s in Settings.__struct_fields__ if not key and name in _names_in(s)), None)
    if section is not None:
        return Complaint(here, "is not a setting at the top", f"did you mean {section}.{name}?")
    return Complaint(here, "is not a setting", f"expected one of {', '.join(known)}")


def _names_in(section: str) -> tuple[str, ...]:
    default = getattr(Settings(), section)
    return default.__struct_fields__ if isinstance(default, Struct) else ()


def _list_of(item: inspect.Type, key: str) -> str:
    if isinstance(item, inspect.StructType):
        return f"tables under [[{key}]]"
    return "a list of texts" if isinstance(item, inspect.StrType) else "a list"


def _is_table(tree: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(tree, dict)


def _is_list(tree: Any) -> TypeGuard[list[Any]]:
    return isinstance(tree, list)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _first(complaints: Iterable[Complaint | None]) -> Complaint | None:
    return next((complaint for complaint in complaints if complaint), None)
