"""Which feature works where, by the tests: `python -m tests.integrations.feature_table` writes it."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.integrations.environments import ADAPTERS, ROOT
from tests.integrations.features import FEATURES

PAGE = ROOT / "docs" / "integrations.md"
BEGIN, END = "<!-- features: begin -->\n", "<!-- features: end -->\n"


def proven(tests: Path) -> set[str]:
    """The features that some test below a folder is marked with."""
    found: set[str] = set()
    for path in tests.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found |= {name for mark in node.decorator_list if (name := _named(mark)) is not None}
    return found


def _named(mark: ast.expr) -> str | None:
    match mark:
        case ast.Call(func=ast.Name(id="feature"), args=[ast.Constant(value=str(name))]):
            return name
        case _:
            return None


def table() -> str:
    """The table, one row a feature and one column an adapter."""
    columns = [(adapter.title, proven(adapter.tests)) for adapter in ADAPTERS]
    head = ["", *(title for title, _ in columns)]
    rows = [[name, *("✓" if name in has else "" for _, has in columns)] for name in FEATURES]
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def written(page: str) -> str:
    """The page with today's table in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
