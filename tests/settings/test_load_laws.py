"""What `load` promises of every file, whatever stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.settings.trees import any_tree, good_tree, near_tree, toml

from edgewise.domain.errors import SettingsError
from edgewise.settings import Settings, load
from edgewise.settings.load import from_tree

SECRET = "sk-proj-4f9aKq83Lm2xZ7"


def outcome(tree: dict[str, Any]) -> Settings | str:
    try:
        return from_tree(tree, source="f.toml")
    except SettingsError as error:
        said = str(error)
        assert said.startswith("f.toml: ")
        assert said.isprintable()
        return said


@given(any_tree | near_tree)
@settings(max_examples=150, deadline=None)
def test_any_tree_gives_settings_or_one_printable_sentence(tree: dict[str, Any]) -> None:
    outcome(tree)


@given(any_tree | near_tree)
@settings(max_examples=60, deadline=None)  # the trees are those of the law above
def test_so_does_any_file(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]) -> None:
    file = tmp_path_factory.mktemp("any") / "f.toml"
    file.write_text(toml(tree), encoding="utf-8", newline="")
    try:
        found: Settings | str = load(file, {})
    except SettingsError as error:
        found = str(error).replace(str(file), "f.toml")
        assert "is not TOML" not in found
    assert isinstance(found, Settings) == isinstance(outcome(tree), Settings)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=150, deadline=None)
def test_so_do_any_bytes(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.mktemp("raw") / "f.toml"
    file.write_bytes(raw)
    try:
        load(file, {})
    except SettingsError as error:
        assert str(error).startswith(f"{file}: ")


@given(good_tree())
@settings(max_examples=100, deadline=None)
def test_a_tree_without_a_fault_is_taken_as_it_is(tree: dict[str, Any]) -> None:
    found = outcome(tree)
    assert isinstance(found, Settings), found
    assert not list(_differences(tree, msgspec.to_builtins(found), ""))


@given(good_tree(), st.data())
@settings(max_examples=100, deadline=None)
def test_an_unknown_key_anywhere_is_refused_by_its_path(tree: dict[str, Any], data: st.DataObject) -> None:
    tables = [
        (path, table) for path, table in _tables(tree, "") if "options" not in path and path != "policies"
    ]
    path, table = data.draw(st.sampled_from(tables))
    table["colour"] = 1
    said = outcome(tree)
    assert isinstance(said, str)
    assert f"{path}.colour is not a setting;".lstrip(".") in said


@given(good_tree(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_error_repeats_a_secret(tree: dict[str, Any], data: st.DataObject) -> None:
    spoiled = deepcopy(tree)
    _, table = data.draw(st.sampled_from(list(_tables(spoiled, ""))))
    assume(table)
    name = data.draw(st.sampled_from(sorted(table)))
    if data.draw(st.booleans()):
        table[name] = SECRET
    else:
        table[SECRET] = table.pop(name)
    said = outcome(spoiled)
    if isinstance(said, str):
        assert SECRET not in said
        assert SECRET[:10] not in said


def _tables(tree: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(tree, dict):
        yield path, tree
        for name, value in tree.items():
            shown = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
            yield from _tables(value, f"{path}.{shown}".lstrip("."))
    if isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _tables(value, f"{path}[{index}]")


def _differences(tree: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _differences(value, found[name], f"{path}.{name}")
    elif isinstance(tree, list):
        assert len(tree) == len(found)
        for index, value in enumerate(tree):
            yield from _differences(value, found[index], f"{path}[{index}]")
    elif tree != found:
        yield f"{path}: {tree!r} became {found!r}"
